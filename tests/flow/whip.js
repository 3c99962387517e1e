// Publishes by WHIP (RFC 9725) and plays by WHEP, each with one request: node whip.js HTTP_URL NAME QUERY SECONDS PROTOCOL
// Of the server's candidates the pages know those of PROTOCOL, udp or tcp.
const { received, run } = require('./websdk.js');

const [http, name, query, seconds, protocol] = process.argv.slice(2);

// In the page: an offer by POST; gives the status, and the address that DELETE ends.
const offer = async ([url, publishes, protocol]) => {
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
  const known = text.split('\r\n').filter((line) => !line.startsWith('a=candidate:') || line.includes(` 1 ${protocol} `));
  await peer.setRemoteDescription({ type: 'answer', sdp: known.join('\r\n') });
  await connected;
  window.place = new URL(answer.headers.get('location'), url).href;
  return { status: answer.status, type: answer.headers.get('content-type') };
};
// The protocol of the pair in use.
const way = async () => {
  const stats = [...(await peers.at(-1).getStats()).values()];
  const { selectedCandidatePairId } = stats.find((one) => one.type === 'transport');
  const { localCandidateId } = stats.find((one) => one.id === selectedCandidatePairId);
  return stats.find((one) => one.id === localCandidateId).protocol;
};
const leave = async () => (await fetch(place, { method: 'DELETE' })).status;

run(async (open) => {
  const publisher = await open(http), viewer = await open(http);
  const whip = new URL(`/whip/${name}${query}`, http).href, whep = new URL(`/whep/${name}`, http).href;
  const published = await publisher.evaluate(offer, [whip, true, protocol]);
  const refused = await viewer.evaluate(offer, [whip, true, protocol]);
  const played = await viewer.evaluate(offer, [whep, false, protocol]);
  await viewer.evaluate((s) => websdk.wait(s), Number(seconds));
  const seen = await viewer.evaluate(received);
  const ways = [await publisher.evaluate(way), await viewer.evaluate(way)];
  return { published, refused, played, ...seen, ways, left: [await viewer.evaluate(leave), await publisher.evaluate(leave)],
           again: await publisher.evaluate(leave) };
});
