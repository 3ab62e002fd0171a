import {
  type ConnectHandle,
  type ConnectOptions,
  type ConnectRequestSource,
  open,
  resume,
} from '@pabbly/connect-browser';
import {
  type ComponentPropsWithoutRef,
  type MouseEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';

export interface Connect {
  /** See `open` of `@pabbly/connect-browser`: to be called in a click. */
  open(source: ConnectRequestSource): ConnectHandle;
  /** See `resume` of `@pabbly/connect-browser`: to be called in an effect. */
  resume(): ConnectHandle | null;
  /** Whether an attempt that this hook started is under way. */
  connecting: boolean;
}

/** `open` and `resume` for a component. An attempt goes on when the component goes away. */
export function useConnect(options: ConnectOptions = {}): Connect {
  const [handle, setHandle] = useState<ConnectHandle | null>(null);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  // The callbacks of the last render are the ones that know the component's state at the end of an attempt.
  const current = useMemo<ConnectOptions>(
    () => ({
      get onSuccess() {
        return latest.current.onSuccess;
      },
      get onExit() {
        return latest.current.onExit;
      },
      get onError() {
        return latest.current.onError;
      },
      get onEvent() {
        return latest.current.onEvent;
      },
      get display() {
        return latest.current.display;
      },
    }),
    [],
  );
  const follow = useCallback(<H extends ConnectHandle | null>(started: H): H => {
    if (started) {
      setHandle(started);
      void started.outcome.then(() => setHandle((now) => (now === started ? null : now)));
    }
    return started;
  }, []);
  return {
    open: useCallback((source) => follow(open(source, current)), [current, follow]),
    resume: useCallback(() => follow(resume(current)), [current, follow]),
    connecting: handle !== null,
  };
}

export interface ConnectButtonProps
  extends ConnectOptions,
    Omit<ComponentPropsWithoutRef<'button'>, 'onError' | keyof ConnectOptions> {
  /** Where the link comes from; best a function, so that each click has a link of its own. Phones open a tab for it. */
  request: ConnectRequestSource;
}

/** A button that connects. It stays usable meanwhile: another click starts over. */
export function ConnectButton({
  request,
  onSuccess,
  onExit,
  onError,
  onEvent,
  display,
  onClick,
  ...rest
}: ConnectButtonProps) {
  const { open, connecting } = useConnect({ onSuccess, onExit, onError, onEvent, display });
  function click(event: MouseEvent<HTMLButtonElement>) {
    onClick?.(event);
    if (!event.defaultPrevented) open(request);
  }
  return <button type="button" aria-busy={connecting} {...rest} onClick={click} />;
}
