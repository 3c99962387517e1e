// Publishes camera and microphone by the WebSDK with `record: true` and shows the file that came of it.
'use strict';

const { SESSION_STATUS, STREAM_STATUS } = Flashphoner.constants;
const part = (id) => document.getElementById(id);
const [form, start, stop, statusLine, errorLine] = ['form', 'start', 'stop', 'status', 'error'].map(part);

let ticking = 0;

function show(text, error = '') {
  statusLine.textContent = text;
  errorLine.textContent = error;
}

/** While it is busy nothing can be changed and nothing be started. */
function setBusy(busy) {
  for (const control of [part('name'), part('format'), start]) control.disabled = busy;
}

function startTimer() {
  const began = performance.now();
  const tick = () => {
    const seconds = Math.floor((performance.now() - began) / 1000);
    part('timer').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  };
  tick();
  ticking = setInterval(tick, 1000);
}

function stopTimer() {
  clearInterval(ticking);
  part('timer').textContent = '';
}

async function ports() {
  const answer = await fetch('/health');
  return (await answer.json()).ports;
}

/** The WebSocket of the server that this page came from, unless `?urlServer=` names another one. */
async function serverUrl() {
  const given = new URLSearchParams(location.search).get('urlServer');
  if (given) return given;
  const [scheme, port] = location.protocol === 'https:' ? ['wss', (await ports()).wss] : ['ws', (await ports()).ws];
  if (!port) throw new Error(`This server opens no ${scheme} port: is its plugin protocol.webrtc enabled?`);
  return `${scheme}://${location.hostname}:${port}`;
}

/** Why this page can get no camera; empty: it can. */
async function obstacle() {
  if (!window.isSecureContext) {
    const { https } = await ports();
    return 'Browsers open cameras only for https pages and on http://localhost. ' +
      (https ? `Take https://${location.hostname}:${https}${location.pathname}` : 'This server has no https port.');
  }
  return navigator.mediaDevices && window.RTCPeerConnection ? '' : 'This browser has no WebRTC.';
}

function connect(urlServer) {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Error(`No connection to ${urlServer}. ` + (urlServer.startsWith('wss:') ?
      `A certificate that this browser does not know must be accepted once: open ${urlServer.replace('wss:', 'https:')}` : '')));
    Flashphoner.createSession({ urlServer })
      .on(SESSION_STATUS.ESTABLISHED, resolve)
      .on(SESSION_STATUS.FAILED, failed)
      .on(SESSION_STATUS.DISCONNECTED, failed);
  });
}

/** Publishes until Stop or a failure; gives the name of the file, or null, and why it failed. */
function publish(session, name, stripCodecs) {
  return new Promise((resolve) => {
    const ended = (stream) => {
      const why = [stream.getInfo(), stream.getErrorInfo()].filter(Boolean).join(': ') || 'The connection was lost';
      resolve({ file: stream.getRecordInfo(), failure: stream.status() === STREAM_STATUS.FAILED ? why : '' });
    };
    const constraints = { audio: true, video: { width: 640, height: 480 } };
    const display = part('preview');
    session.createStream({ name, display, constraints, record: true, receiveVideo: false, receiveAudio: false, stripCodecs })
      .on(STREAM_STATUS.PUBLISHING, (stream) => {
        show(`Recording ${name}`);
        startTimer();
        stop.disabled = false;
        stop.onclick = () => {
          stop.disabled = true;
          show('Finishing the file …');
          stream.stop();
        };
        stop.focus();
      })
      .on(STREAM_STATUS.UNPUBLISHED, ended)
      .on(STREAM_STATUS.FAILED, ended)
      .publish();
  });
}

function showRecording(file) {
  const address = '/client/records/' + file.split('/').map(encodeURIComponent).join('/');
  part('player').src = address;
  part('link').href = address;
  part('link').textContent = `Download ${file}`;
  part('recording').hidden = false;
  part('link').focus();
}

async function record() {
  setBusy(true);
  part('recording').hidden = true;
  part('player').removeAttribute('src');
  let session;
  try {
    show('Connecting …');
    session = await connect(await serverUrl());
    const name = part('name').value.trim() || `recording-${Date.now().toString(36)}`;
    // The server records what the browser sends; it sends the first codec that is left.
    const { file, failure } = await publish(session, name, part('format').value === 'H264' ? 'VP8,VP9,AV1' : '');
    if (file) showRecording(file);
    if (failure) show(file ? 'Recorded up to a failure' : 'Not recorded', failure);
    else if (file) show('Recorded');
    else show('Not recorded', 'The server recorded nothing: is its record_streams on?');
  } catch (error) {
    show('Not recorded', error.message);
  } finally {
    stopTimer();
    stop.disabled = true;
    setBusy(false);
    session?.disconnect();
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  record();
});
part('player').addEventListener('error', () => {
  errorLine.textContent = 'This browser does not play such files; the link downloads it.';
});
addEventListener('load', async () => {
  const why = await obstacle();
  if (why) {
    setBusy(true);
    return show('Cannot record', why);
  }
  Flashphoner.init();
  const codecs = RTCRtpSender.getCapabilities('video').codecs.map((codec) => codec.mimeType.slice('video/'.length));
  for (const option of part('format').options) option.disabled = !codecs.includes(option.value);
});
