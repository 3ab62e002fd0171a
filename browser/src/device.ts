const PHONE_OR_UPRIGHT_TABLET = [
  '(max-width: 480px)',
  '(max-height: 480px) and (pointer: coarse)',
  '(orientation: portrait) and (pointer: coarse)',
].join();

/** Whether every window is a tab here, in front of this page. A page in a frame cannot tell: it sees its own size. */
export function isPhoneOrUprightTablet(): boolean {
  return window.top === window && matchMedia(PHONE_OR_UPRIGHT_TABLET).matches;
}
