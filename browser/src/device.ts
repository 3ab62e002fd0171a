const PHONE_OR_UPRIGHT_TABLET = [
  '(max-width: 480px)',
  '(max-height: 480px) and (pointer: coarse)',
  '(orientation: portrait) and (pointer: coarse)',
].join();

/** Where a popup would be a tab that hides the page. A page in a frame has to use one all the same. */
export function prefersRedirect(): boolean {
  return window.top === window && matchMedia(PHONE_OR_UPRIGHT_TABLET).matches;
}
