// An agent (see programs.py) with ws, the WebSocket library of Node.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const WebSocket = require('ws');

const [role, certificate, key] = process.argv.slice(2);
let ws = null;
let fragmentIsBinary = false;

function emit(verb, arg, data = '') {
    const bytes = Buffer.from(data);
    process.stdout.write(`${verb} ${arg || '-'} ${bytes.length}\n`);
    process.stdout.write(bytes);
}

// The library's form of parameters of permessage-deflate. It lets the server choose its window
// unless it is told not to.
function options(text, isServer) {
    const given = { threshold: 0, clientMaxWindowBits: isServer ? undefined : false };
    for (const item of text.split(';').map((part) => part.trim()).filter(Boolean)) {
        const [name, value] = item.split('=');
        const own = name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
        given[own] = value === undefined ? true : Number(value);
    }
    return given;
}

// Reports what comes on one connection.
function attach(socket, opened) {
    ws = socket;
    ws.on('message', (data, isBinary) => emit(isBinary ? 'binary' : 'text', '-', data));
    ws.on('pong', (data) => emit('pong', '-', data));
    ws.on('close', (code, reason) => { if (opened()) emit('close', code, reason); });
    ws.on('error', (error) => console.error(String(error)));
}

function connect(data) {
    const offer = Object.fromEntries(
        data.toString().split('\n').filter(Boolean).map((line) => line.split(/=(.*)/s)));
    const socket = new WebSocket(
        offer.url, offer.subprotocol ? offer.subprotocol.split(',') : [],
        { origin: offer.origin, maxPayload: 0, ca: offer.ca && fs.readFileSync(offer.ca),
            perMessageDeflate: 'deflate' in offer && options(offer.deflate, false) });
    let open = false;
    let extensions = '';
    socket.on('upgrade', (response) => {
        extensions = response.headers['sec-websocket-extensions'] || '';
    });
    socket.on('open', () => { open = true; emit('open', socket.protocol, extensions); });
    socket.on('unexpected-response', (request, response) => {
        emit('refused', response.statusCode);
        response.destroy();
    });
    attach(socket, () => open);
}

function send(verb, data) {
    if (verb === 'text' || verb === 'binary') {
        ws.send(data, { binary: verb === 'binary' });
        return;
    }
    if (verb === 'plain-text') {
        ws.send(data, { binary: false, compress: false });
        return;
    }
    if (verb.startsWith('first-')) {
        fragmentIsBinary = verb === 'first-binary';
    }
    ws.send(data, { binary: fragmentIsBinary, fin: verb === 'last' });
}

function perform(verb, arg, data) {
    switch (verb) {
    case 'connect': return connect(data);
    case 'accept':
        server.options.perMessageDeflate = options(data.toString(), true);
        return emit('ready');
    case 'ping': return ws.ping(data);
    case 'close': return arg === '-' ? ws.close() : ws.close(Number(arg), data);
    case 'eof': return ws._socket.end();
    case 'reset': return ws._socket.resetAndDestroy();
    default: return send(verb, data);
    }
}

let server = null;
if (role === 'server') {
    const below = certificate
        ? https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
        : http.createServer();
    server = new WebSocket.Server({
        server: below, maxPayload: 0, perMessageDeflate: true,
        handleProtocols: (names) => (names.has('chat') ? 'chat' : false),
    });
    below.listen(0, '127.0.0.1', () => emit('listen', below.address().port));
    server.on('connection', (socket, request) => {
        emit('open', socket.protocol, request.headers['sec-websocket-extensions']);
        attach(socket, () => true);
    });
}

let chunks = [];
let have = 0;
let need = 1;
process.stdin.on('data', (chunk) => {
    chunks.push(chunk);
    have += chunk.length;
    while (have >= need) {
        const buffer = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
        chunks = [buffer];
        const line = buffer.indexOf(10);
        if (line < 0) {
            need = have + 1;
            return;
        }
        const [verb, arg, length] = buffer.toString('utf8', 0, line).split(' ');
        need = line + 1 + Number(length);
        if (have < need) {
            return;
        }
        const data = buffer.subarray(line + 1, need);
        chunks = [buffer.subarray(need)];
        have -= need;
        need = 1;
        perform(verb, arg, data);
    }
});
process.stdin.on('end', () => process.exit(0));
