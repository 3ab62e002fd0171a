//! A mail server that keeps what it is given.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One that listens on loopback, without TLS.
#[derive(Clone)]
pub(crate) struct MailServer {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<ReceivedMail>>>,
}

/// What it was given.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedMail {
    pub(crate) to: String,
    /// Headers and text, as they came.
    pub(crate) text: String,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), mails: Arc::default() };
        let mails = server.mails.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mails = mails.clone();
                tokio::spawn(async move { serve(stream, &mails).await });
            }
        });
        server
    }

    /// The mails so far.
    pub(crate) fn mails(&self) -> Vec<ReceivedMail> {
        self.mails.lock().unwrap().clone()
    }

    /// The mails once there are so many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<ReceivedMail> {
        for _ in 0..400 {
            let mails = self.mails();
            if mails.len() >= count {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{} mails instead of {count}", self.mails().len());
    }
}

impl ReceivedMail {
    /// The link to sign in that it holds, without the address of the service.
    pub(crate) fn link(&self) -> String {
        // Long lines of quoted-printable text go on after `=`.
        let text = self.text.replace("=\r\n", "");
        let (_, rest) = text.split_once("/dashboard/sign-in/link/").expect("a link");
        let secret: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        format!("//dashboard/sign-in/link/{secret}")
    }
}

async fn serve(stream: TcpStream, mails: &Mutex<Vec<ReceivedMail>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut to = String::new();
    write.write_all(b"220 test\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer: &[u8] = match line.get(..4).unwrap_or_default() {
            "RCPT" => {
                to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                b"250 ok\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.unwrap();
                let mut text = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    text += &line;
                    text += "\r\n";
                }
                mails.lock().unwrap().push(ReceivedMail { to: to.clone(), text });
                b"250 ok\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        if write.write_all(answer).await.is_err() {
            return;
        }
    }
}
