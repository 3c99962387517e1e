// Plays a stream by the WebSDK: node play.js HTTP_URL WS_URL NAME
const { run, watch } = require('./websdk.js');

const [http, ws, name] = process.argv.slice(2);

run(async (open) => ({ player: await watch(await open(http), ws, name) }));
