// A server with ws that sends each message to all connections, as its manual shows it.
'use strict';
const WebSocket = require('ws');

const server = new WebSocket.Server({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('listening', () => console.log(`listens on ws://127.0.0.1:${server.address().port}/`));
server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
        for (const client of server.clients) {
            if (client.readyState === WebSocket.OPEN) {
                client.send(data, { binary: isBinary });
            }
        }
    });
    socket.on('error', () => {});
});
