// Publishes by WHIP and says something over data channels: node messages.js HTTP_URL NAME QUERY
const { run } = require('./websdk.js');

const [http, name, query] = process.argv.slice(2);

const talk = async (url) => {
  const peer = new RTCPeerConnection();
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  for (const track of media.getTracks()) peer.addTransceiver(track, { direction: 'sendonly' });
  const closed = [];
  const open = (label, options) => new Promise((done) => {
    const channel = peer.createDataChannel(label, options);
    channel.onopen = () => done(channel);
    channel.onclose = () => closed.push(label);
  });
  const chat = open('chat'), hasty = open('hasty', { ordered: false, maxRetransmits: 0 });
  const agreed = open('agreed', { negotiated: true, id: 20 });
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch(url, { method: 'POST', body: peer.localDescription.sdp, headers: { 'Content-Type': 'application/sdp' } });
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });

  // Channels are apart from each other: each message waits until the one before has gone.
  const say = async (channel, message) => {
    channel.send(message);
    while (channel.bufferedAmount > 0) await websdk.wait(0.02);
    await websdk.wait(0.1);
  };
  await say(await chat, 'hello');
  await websdk.wait(1);
  await say(await hasty, 'Grüße 🎥');
  await say(await hasty, new Uint8Array([1, 2, 3]));
  await say(await agreed, 'x'.repeat(60000));
  await websdk.wait(0.9);
  await say(await chat, 'end');
  (await chat).close();
  for (let tries = 0; tries < 50 && closed.length === 0; ++tries) await websdk.wait(0.1);
  const heard = [...closed];
  await fetch(new URL(answer.headers.get('location'), url).href, { method: 'DELETE' });
  return { closed: heard };
};

run(async (open) => (await open(http)).evaluate(talk, new URL(`/whip/${name}${query}`, http).href));
