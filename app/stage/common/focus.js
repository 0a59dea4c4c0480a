/** Gives the focus back to what opened a dialog of the page around the stage, once that has been closed. */

const DIALOG = '[role="dialog"]';
/** A page that has not opened one by then will not. */
const PATIENCE_MS = 30_000;

/** @param {HTMLElement} opener which has been pressed just now */
export function returnFocusTo(opener) {
  const before = document.querySelectorAll(DIALOG).length;
  let opened = false;
  const watch = new MutationObserver(() => {
    const now = document.querySelectorAll(DIALOG).length;
    if (now > before) opened = true;
    else if (opened) {
      end();
      // The page gives the focus to nothing as it closes.
      setTimeout(() => opener.isConnected && opener.focus());
    }
  });
  const end = () => watch.disconnect();
  watch.observe(document.body, { childList: true, subtree: true });
  setTimeout(() => opened || end(), PATIENCE_MS);
}
