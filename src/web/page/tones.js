// One tone for each kind of answer.
//
// What arrives: the name of a tone. What leaves: sound, or a chip that says that there is none.
// What is promised: where the browser forbids sound until somebody touches the screen, the page says so and waits.

import { $, el, sign } from "/draw.js";

// Told apart by rhythm first and by pitch second, since noise swallows pitch: [hertz, start ms, length ms] and a wave.
const TONES = {
  good: { wave: "triangle", notes: [[880, 0, 90], [1320, 100, 160]] },
  hold: { wave: "triangle", notes: [[587, 0, 260], [587, 360, 260]] },
  bad: { wave: "sawtooth", notes: [[196, 0, 650]] },
  ask: { wave: "triangle", notes: [[660, 0, 120], [784, 150, 120], [1047, 300, 240]] },
  info: { wave: "sine", notes: [[740, 0, 80]] },
  error: { wave: "square", notes: [[932, 0, 110], [622, 120, 110], [932, 240, 110], [622, 360, 110], [932, 480, 110], [622, 600, 160]] },
};

let audio = null;

export function play(name) {
  const tone = Object.hasOwn(TONES, name) ? TONES[name] : TONES.info;
  if (!audio || audio.state !== "running") return soundChip();
  const volume = tone.wave === "square" || tone.wave === "sawtooth" ? 0.35 : 0.7;
  for (const [hertz, start, length] of tone.notes) {
    const from = audio.currentTime + 0.01 + start / 1000;
    const to = from + length / 1000;
    const note = audio.createOscillator();
    const gain = audio.createGain();
    note.type = tone.wave;
    note.frequency.value = hertz;
    // Ramps instead of edges: a speaker clicks on an edge, and the click sounds like a scanner.
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(volume, from + 0.012);
    gain.gain.setValueAtTime(volume, to - 0.02);
    gain.gain.linearRampToValueAtTime(0, to);
    note.connect(gain).connect(audio.destination);
    note.start(from);
    note.stop(to);
  }
}

// Where the browser forbids sound until somebody touches the screen, the page says so and waits for the touch.
export function soundChip() {
  const on = audio !== null && audio.state === "running";
  let node = $("sound");
  if (on) return node?.remove();
  if (node) return;
  node = el("li", "chip", sign("sound"), el("span", "", audio ? "sound off: touch the screen" : "no sound"));
  node.id = "sound";
  $("devices").append(node);
}

export function startAudio() {
  if (typeof AudioContext === "undefined") return;
  audio = new AudioContext();
  audio.addEventListener("statechange", soundChip);
  const wake = () => audio.resume().catch(() => {});
  addEventListener("pointerdown", wake);
  addEventListener("keydown", wake);
  wake();
}
