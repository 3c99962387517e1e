// Publishes by the WebSDK, plays it in a second page, stops, and fetches the file from within the UNPUBLISHED handler:
// node publish_and_play.js HTTP_URL WS_URL '{"name": ..., "record": true, "seconds": 6, "play": true, ...}'
const { run, watch } = require('./websdk.js');

const [http, ws, text] = process.argv.slice(2);
const { seconds = 6, play = false, ...options } = JSON.parse(text);

run(async (open) => {
  const publisher = await open(http);
  await publisher.evaluate(async ([url, given]) => {
    window.session = await websdk.connect(url);
    window.kept = websdk.stream(session, { receiveVideo: false, receiveAudio: false, ...given });
    kept.stream.publish();
    await kept.reached('PUBLISHING');
    window.began = performance.now();
  }, [ws, options]);
  const began = Date.now();
  const player = play ? await watch(await open(http), ws, options.name) : null;
  const left = seconds * 1000 - (Date.now() - began);
  if (left > 0) await new Promise((done) => { setTimeout(done, left); });
  const end = await publisher.evaluate(async () => {
    // Fetched at once, as Flashphoner's example does.
    kept.atEnd = async ({ record }) => {
      if (!record) return null;
      const answer = await fetch(`/client/records/${record}`);
      return { status: answer.status, type: answer.headers.get('content-type'), size: (await answer.arrayBuffer()).byteLength };
    };
    const published = (performance.now() - began) / 1000;
    kept.stream.stop();
    return { record: null, published, ...(await kept.ended) };
  });
  if (player) player.ended = await player.ended();
  return { end, player };
});
