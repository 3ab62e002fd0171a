export interface Pause {
  /** Resolves after some milliseconds, when the signal aborts, or, if that is allowed, when woken. */
  pause(ms: number, wakeable: boolean): Promise<void>;
  /** Ends the current pause; between two pauses, the next one. */
  wake(): void;
}

export function createPause(signal: AbortSignal): Pause {
  let woken = false;
  let deaf = false;
  let end: (() => void) | undefined;
  signal.addEventListener('abort', () => end?.());

  async function pause(ms: number, wakeable: boolean) {
    deaf = !wakeable;
    if (!signal.aborted && (deaf || !woken)) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        end = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
    }
    deaf = woken = false;
  }

  function wake() {
    woken = true;
    if (!deaf) end?.();
  }

  return { pause, wake };
}
