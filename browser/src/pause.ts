export interface Pause {
  /**
   * Resolves after some milliseconds, when the signal aborts, or, if that is allowed, when woken. Tells whether it was
   * woken.
   */
  pause(ms: number, wakeable: boolean): Promise<boolean>;
  /** Ends the current pause; between two pauses, calls what `interrupt` was given, or else ends the next one. */
  wake(): void;
  /** What is to be called when woken before the next pause. */
  interrupt(stop: () => void): void;
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
    const wasWoken = woken && wakeable;
    deaf = woken = false;
    return wasWoken;
  }

  function wake() {
    woken = true;
    if (!deaf) end?.();
  }

  function interrupt(stop: () => void) {
    end = () => {
      woken = false;
      stop();
    };
  }

  return { pause, wake, interrupt };
}
