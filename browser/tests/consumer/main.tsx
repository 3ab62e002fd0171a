import { ConnectButton, useConnect } from '@pabbly/connect-browser/react';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

/** As a product would write it. */
function Connections() {
  const [news, setNews] = useState<string[]>([]);
  const tell = (text: string) => setNews([...news, text]);
  const listeners = {
    onSuccess: (connectionId: string) => tell(`connected ${connectionId}`),
    onExit: (reason: string) => tell(`no connection: ${reason}`),
    onError: ({ code }: { code: string }) => tell(`error: ${code}`),
  };
  const { resume, connecting } = useConnect(listeners);
  useEffect(() => {
    resume();
  }, [resume]);
  return (
    <>
      <ConnectButton id="connect" request={() => fetch('/link', { method: 'POST' })} {...listeners}>
        Connect Gmail
      </ConnectButton>
      {connecting && <p id="resumed">Going on …</p>}
      <ul>
        {news.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </>
  );
}

const root = document.querySelector('#root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Connections />
    </StrictMode>,
  );
}
