// Publishes by the WebSDK, plays it in a second page, stops, and fetches the file from within the UNPUBLISHED handler:
// node publish_and_play.js HTTP_URL WS_URL '{"name": ..., "record": true, "seconds": 6, "play": true, ...}'
const { run } = require('./websdk.js');

const [http, ws, text] = process.argv.slice(2);
const { seconds = 6, play = false, ...options } = JSON.parse(text);

run(async (open) => {
  const publisher = await open(http);
  await publisher.evaluate(async ([url, given]) => {
    window.session = await websdk.connect(url);
    window.kept = websdk.stream(session, { receiveVideo: false, receiveAudio: false, ...given });
    kept.stream.publish();
    await kept.reached('PUBLISHING');
  }, [ws, options]);
  const began = Date.now();
  let player = null;
  if (play) {
    const page = await open(http);
    player = await page.evaluate(async ([url, name]) => {
      const session = await websdk.connect(url);
      const kept = websdk.stream(session, { name });
      kept.stream.play();
      await kept.reached('PLAYING');
      const video = await new Promise((done) => {
        const look = () => {
          const found = kept.holder.querySelector('video');
          if (found && found.videoWidth > 2 && found.currentTime > 0) done(found);
          else setTimeout(look, 20);
        };
        look();
      });
      const first = video.currentTime;
      await websdk.wait(2);
      const sound = { energy: 0, packets: 0 }, picture = { frames: 0, codec: '' };
      const stats = [...(await peers[0].getStats()).values()];
      for (const one of stats) {
        if (one.type !== 'inbound-rtp') continue;
        if (one.kind === 'audio') Object.assign(sound, { energy: one.totalAudioEnergy, packets: one.packetsReceived });
        else Object.assign(picture, { frames: one.framesDecoded, codec: stats.find((s) => s.id === one.codecId).mimeType });
      }
      window.kept = kept;
      return { width: video.videoWidth, height: video.videoHeight, played: video.currentTime - first, sound, picture };
    }, [ws, options.name]);
    player.ended = page.evaluate(() => kept.ended);
  }
  const left = seconds * 1000 - (Date.now() - began);
  if (left > 0) await new Promise((done) => { setTimeout(done, left); });
  const end = await publisher.evaluate(async () => {
    // Fetched at once, as Flashphoner's example does.
    kept.atEnd = async ({ record }) => {
      if (!record) return null;
      const answer = await fetch(`/client/records/${record}`);
      return { status: answer.status, type: answer.headers.get('content-type'), size: (await answer.arrayBuffer()).byteLength };
    };
    kept.stream.stop();
    return { record: null, ...(await kept.ended) };
  });
  if (player) player.ended = await player.ended;
  return { published: (Date.now() - began) / 1000, end, player };
});
