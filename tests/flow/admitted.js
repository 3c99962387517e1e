// A backend admits the first session, not its stream, and not the second session: node admitted.js HTTP_URL WS_URL NAME
const { run } = require('./websdk.js');

const [http, ws, name] = process.argv.slice(2);

run(async (open) => {
  const page = await open(http);
  return page.evaluate(async ([url, stream]) => {
    const session = await websdk.connect(url, { custom: { token: 'abc' } });
    const kept = websdk.stream(session, { name: stream, record: true });
    kept.stream.publish();
    const { status, info } = await kept.ended;
    const connected = await websdk.connect(url).then(() => 'ESTABLISHED', (error) => error.message);
    return { published: { status, info }, connected };
  }, [ws, name]);
});
