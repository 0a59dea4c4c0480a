/** The runs as one HTML file that replays them anywhere, without the app and without a network. */
import { serverAddress } from "../common/address.js";
import { download, fileName } from "../common/files.js";
import { fill, words } from "../words.js";
import { linkTo } from "./permalink.js";

/** @param {import("../assembly.js").Stage} stage @returns {string} address that answers with the file */
function replayAddress(stage) {
  const { data, choices } = stage,
    url = new URL("replay", serverAddress(data.stream));
  const shown = {
    runs: data.runs.join(","),
    token: data.token,
    theme: choices.now.theme?.dark ? "dark" : "light",
    projection: choices.now.projection ?? "",
    hz: String(data.hz ?? ""),
  };
  for (const [name, value] of Object.entries(shown)) if (value) url.searchParams.set(name, value);
  // The file opens as the stage is now.
  for (const [name, value] of new URL(linkTo(stage)).searchParams)
    if (["camera", "layers", "colour", "solo", "arrows", "class", "step"].includes(name))
      url.searchParams.set(name, value);
  return url.href;
}

/** @param {import("../assembly.js").Stage} stage */
export async function saveReplay(stage) {
  stage.parts.notify(words.replayCollecting);
  const answer = await fetch(replayAddress(stage));
  if (!answer.ok)
    throw new Error((await answer.text()).slice(0, 300) || fill(words.replayAnswered, { status: answer.status }));
  const file = await answer.blob();
  download(file, fileName(stage, "html"));
  stage.parts.notify(fill(words.replaySaved, { size: (file.size / 1e6).toFixed(1) }));
}
