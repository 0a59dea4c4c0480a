/** The runs as one HTML file that replays them anywhere, without the app and without a network. */
import { serverAddress } from "../common/address.js";
import { download, fileName } from "./files.js";
import { linkTo } from "./sight.js";

/** @param {import("../view.js").StageView} stage @returns {string} address that answers with the file */
function replayAddress(stage) {
  const { data, picture } = stage,
    url = new URL("replay", serverAddress(data.stream));
  const shown = {
    runs: data.runs.join(","),
    token: data.token,
    theme: picture.theme?.dark ? "dark" : "light",
    projection: stage.projection ?? "",
    hz: String(data.hz ?? ""),
  };
  for (const [name, value] of Object.entries(shown)) if (value) url.searchParams.set(name, value);
  // The file opens as the stage is now.
  for (const [name, value] of new URL(linkTo(stage)).searchParams)
    if (["camera", "layers", "colour", "solo", "class", "step"].includes(name)) url.searchParams.set(name, value);
  return url.href;
}

/** @param {import("../view.js").StageView} stage */
export async function saveReplay(stage) {
  stage.parts.notify("Collecting the frames for the file…");
  const answer = await fetch(replayAddress(stage));
  if (!answer.ok) throw new Error((await answer.text()).slice(0, 300) || `the app answered ${answer.status}`);
  const file = await answer.blob();
  download(file, fileName(stage, "html"));
  stage.parts.notify(`Saved: ${(file.size / 1e6).toFixed(1)} MB. The file opens anywhere, also without a network.`);
}
