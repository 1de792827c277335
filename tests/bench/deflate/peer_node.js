// Jobs for ws, the WebSocket library of Node: the lines and answers that jobs.c describes, but
// without a checksum. No sockets: its extension, its Sender and its Receiver alone.
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');

// The parts have no names that the module exports: they are files of it.
const lib = path.join(path.dirname(require.resolve('ws')), 'lib');
const PerMessageDeflate = require(path.join(lib, 'permessage-deflate'));
const Receiver = require(path.join(lib, 'receiver'));
const Sender = require(path.join(lib, 'sender'));
const READ = 65536;

function readMessages(file) {
    const bytes = fs.readFileSync(file);
    const messages = [];
    for (let at = 0; at < bytes.length; ) {
        const len = bytes.readUInt32LE(at);
        messages.push(bytes.subarray(at + 4, at + 4 + len));
        at += 4 + len;
    }
    return messages;
}

function writeMessages(file, messages) {
    const parts = [];
    for (const message of messages) {
        const prefix = Buffer.alloc(4);
        prefix.writeUInt32LE(message.length);
        parts.push(prefix, message);
    }
    fs.writeFileSync(file, Buffer.concat(parts));
}

function extension(how, isServer) {
    const made = new PerMessageDeflate(
        { threshold: 0, zlibDeflateOptions: { level: how.level, memLevel: how.memory } }, isServer, 0);
    made.params = {
        server_max_window_bits: how.window,
        client_max_window_bits: how.window,
        server_no_context_takeover: !how.takeover,
        client_no_context_takeover: !how.takeover
    };
    return made;
}

// One message after another: with takeover each waits for the one before.
function eachInTurn(messages, step) {
    return new Promise((resolve, reject) => {
        const out = [];
        const next = (error, data) => {
            if (error) return reject(error);
            out.push(data);
            return out.length < messages.length ? step(messages[out.length], next) : resolve(out);
        };
        step(messages[0], next);
    });
}

async function compress(how, messages) {
    const filter = extension(how, true);
    const out = await eachInTurn(messages, (data, done) => filter.compress(data, true, done));
    filter.cleanup();
    return out;
}

async function decompress(how, messages) {
    const filter = extension(how, false);
    const out = await eachInTurn(messages, (data, done) => filter.decompress(data, true, done));
    filter.cleanup();
    return out;
}

async function send(how, messages) {
    const out = [];
    const filter = extension(how, true);
    const socket = {
        destroyed: false,
        cork() {},
        uncork() {},
        write(data, done) {
            out.push(data);
            if (done) done();
        }
    };
    const sender = new Sender(socket, { 'permessage-deflate': filter });
    const options = { fin: true, binary: how.type === 'binary', compress: true, mask: false };
    await eachInTurn(messages, (data, done) => sender.send(data, options, done));
    filter.cleanup();
    return [Buffer.concat(out)];
}

async function receive(how, [wire]) {
    const out = [];
    const filter = extension(how, true);
    const receiver = new Receiver({ isServer: true, extensions: { 'permessage-deflate': filter } });
    receiver.on('message', (data) => out.push(data));
    await new Promise((resolve, reject) => {
        receiver.on('error', reject);
        let at = 0;
        const next = () => {
            if (at >= wire.length) return resolve();
            const read = wire.subarray(at, at + READ);
            at += READ;
            return receiver.write(read, next);
        };
        next();
    });
    filter.cleanup();
    return out;
}

const VERBS = { compress, decompress, send, receive };

async function work() {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const [verb, file, type, window, level, memory, takeover, , result] = line.split(' ');
        const how = {
            type, window: +window, level: +level, memory: +memory, takeover: takeover === '1'
        };
        const messages = readMessages(file);
        const start = process.cpuUsage();
        const made = await VERBS[verb](how, messages);
        const took = process.cpuUsage(start);
        if (result !== '-') writeMessages(result, made);
        const bytes = made.reduce((sum, message) => sum + message.length, 0);
        console.log(`${(took.user + took.system) * 1000} ${bytes} -`);
    }
}

work();
