// Publishes by WHIP (RFC 9725) and plays by WHEP, each with one request: node whip.js HTTP_URL NAME QUERY SECONDS
const { received, run } = require('./websdk.js');

const [http, name, query, seconds] = process.argv.slice(2);

// In the page: an offer by POST; gives the status, and the address that DELETE ends.
const offer = async ([url, publishes]) => {
  const peer = new RTCPeerConnection();
  if (publishes) {
    const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480 } });
    for (const track of media.getTracks()) peer.addTransceiver(track, { direction: 'sendonly' });
  } else {
    for (const kind of ['audio', 'video']) peer.addTransceiver(kind, { direction: 'recvonly' });
    const video = document.createElement('video');
    document.body.append(video);
    peer.ontrack = ({ streams }) => { video.srcObject = streams[0]; video.play(); };
  }
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch(url, { method: 'POST', body: peer.localDescription.sdp, headers: { 'Content-Type': 'application/sdp' } });
  const text = await answer.text();
  if (answer.status !== 201) return { status: answer.status, text };
  const connected = new Promise((done, fail) => {
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === 'connected') done();
      if (peer.connectionState === 'failed') fail(new Error('the connection failed'));
    };
  });
  await peer.setRemoteDescription({ type: 'answer', sdp: text });
  await connected;
  window.place = new URL(answer.headers.get('location'), url).href;
  return { status: answer.status, type: answer.headers.get('content-type') };
};
const leave = async () => (await fetch(place, { method: 'DELETE' })).status;

run(async (open) => {
  const publisher = await open(http), viewer = await open(http);
  const whip = new URL(`/whip/${name}${query}`, http).href, whep = new URL(`/whep/${name}`, http).href;
  const published = await publisher.evaluate(offer, [whip, true]);
  const refused = await viewer.evaluate(offer, [whip, true]);
  const played = await viewer.evaluate(offer, [whep, false]);
  await viewer.evaluate((s) => websdk.wait(s), Number(seconds));
  const seen = await viewer.evaluate(received);
  return { published, refused, played, ...seen, left: [await viewer.evaluate(leave), await publisher.evaluate(leave)],
           again: await publisher.evaluate(leave) };
});
