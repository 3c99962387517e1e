// What goes wrong with streams, as pages with the WebSDK learn it: node websdk_failures.js HTTP_URL WS_URL
const { run } = require('./websdk.js');

const [http, ws] = process.argv.slice(2);

run(async (open) => {
  const page = await open(http);
  const seen = await page.evaluate(async (url) => {
    const session = await websdk.connect(url);
    const published = (name) => {
      const kept = websdk.stream(session, { name, record: true, receiveVideo: false, receiveAudio: false });
      kept.stream.publish();
      return kept;
    };
    const played = (name) => {
      const kept = websdk.stream(session, { name });
      kept.stream.play();
      return kept;
    };
    const first = published('taken');
    const beside = published('beside');
    await Promise.all([first.reached('PUBLISHING'), beside.reached('PUBLISHING')]);

    const duplicate = await published('taken').ended;
    const missing = await played('missing').ended;
    const instant = [published('instant'), played('taken')];
    for (const kept of instant) kept.stream.stop();
    const [instant_publish, instant_play] = await Promise.all(instant.map((kept) => kept.ended));

    await websdk.wait(1);
    const still = [first.stream.status(), beside.stream.status()];
    first.stream.stop();
    beside.stream.stop();
    return { duplicate, missing, instant_publish, instant_play, still, first: await first.ended, beside: await beside.ended };
  }, ws);

  const closed = await open(http);
  await closed.evaluate(async (url) => {
    const session = await websdk.connect(url);
    const kept = websdk.stream(session, { name: 'closed', record: true, receiveVideo: false, receiveAudio: false });
    kept.stream.publish();
    await kept.reached('PUBLISHING');
    await websdk.wait(1.5);
  }, ws);
  await closed.close();
  return seen;
});
