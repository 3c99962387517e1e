// Publishes by WHIP a picture that flashes and a sound that beeps, both at once, and prints what the sender says at the
// end: node flash_and_beep.js HTTP_URL NAME SECONDS
const { run } = require('./websdk.js');

const [http, name, seconds] = process.argv.slice(2);

// In the page. A canvas and an oscillator share the clock of the sound; a flash and a beep last a tenth of a second. They
// come about once a second, each time at another place between two pictures, so that the mean of many tells more.
const publish = async (url) => {
  const context = new AudioContext({ latencyHint: 'interactive', sampleRate: 48000 });
  await context.resume();
  const out = context.createMediaStreamDestination(), tone = context.createOscillator(), gate = context.createGain();
  tone.frequency.value = 1000;
  gate.gain.value = 0;
  tone.connect(gate).connect(out);
  tone.start();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [640, 480];
  document.body.append(canvas);
  const pen = canvas.getContext('2d');
  let next = Math.ceil(context.currentTime) + 1;
  const schedule = (at) => {
    gate.gain.setValueAtTime(0.8, at);
    gate.gain.setValueAtTime(0, at + 0.1);
  };
  schedule(next);
  const draw = () => {
    const now = context.currentTime;
    if (now > next + 0.5) schedule(next += 1 + Math.random() / 10);
    const flashes = now >= next && now < next + 0.1;
    pen.fillStyle = flashes ? '#ffffff' : '#000000';
    pen.fillRect(0, 0, 640, 480);
    // What costs bits, as a camera's picture does; dark, so that a flash is told from it.
    for (let i = 0; i < 40; i++) {
      pen.fillStyle = `rgb(${Math.random() * 60},${Math.random() * 60},${Math.random() * 60})`;
      if (!flashes) pen.fillRect(Math.random() * 640, Math.random() * 480, 40, 40);
    }
    requestAnimationFrame(draw);
  };
  draw();

  const peer = window.peer = new RTCPeerConnection();
  for (const track of [...canvas.captureStream(30).getTracks(), ...out.stream.getTracks()]) peer.addTransceiver(track, { direction: 'sendonly' });
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch(url, { method: 'POST', body: peer.localDescription.sdp, headers: { 'Content-Type': 'application/sdp' } });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  window.place = new URL(answer.headers.get('location'), url).href;
  const text = await answer.text();
  await peer.setRemoteDescription({ type: 'answer', sdp: text });
  return text;
};
const statistics = async () => {
  const all = [...(await peer.getStats()).values()];
  const pair = all.find((one) => one.type === 'candidate-pair' && one.availableOutgoingBitrate);
  const video = all.find((one) => one.type === 'outbound-rtp' && one.kind === 'video');
  return { available: pair && pair.availableOutgoingBitrate, frames: video.framesEncoded, target: video.targetBitrate,
           width: video.frameWidth, limited: video.qualityLimitationReason, repeated: video.retransmittedPacketsSent };
};

run(async (open) => {
  const page = await open(http);
  const answer = await page.evaluate(publish, new URL(`/whip/${name}?record=true`, http).href);
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  await wait(Math.min(10, Number(seconds)) * 1000);
  const early = await page.evaluate(statistics);
  await wait(Math.max(0, Number(seconds) - 10) * 1000);
  const late = await page.evaluate(statistics);
  return { answer, early, late, left: await page.evaluate(async () => (await fetch(place, { method: 'DELETE' })).status) };
});
