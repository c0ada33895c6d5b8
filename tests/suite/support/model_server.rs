//! A language model's server that says what a test wants, over real sockets.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// What the server does with a question.
#[derive(Clone)]
pub enum Does {
    /// Says these pieces, then that it is done.
    Say(Vec<String>),
    /// Says these pieces, then hangs up.
    HangUp(Vec<String>),
    /// Says these pieces, then that its limit of tokens is reached.
    RunOut(Vec<String>),
    /// Refuses with a status, a header line and a text.
    Refuse(u16, &'static str, &'static str),
    /// Says nothing for a while.
    Sleep(Duration),
}

impl Does {
    /// Says a text in pieces of a few characters.
    pub fn say(text: &str) -> Self {
        Self::Say(pieces(text))
    }
}

/// A text in pieces of a few characters.
pub fn pieces(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(16).map(|piece| piece.iter().collect()).collect()
}

/// A server on a port of its own; it lives as long as the test's process.
pub struct ModelServer {
    pub address: String,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl ModelServer {
    /// A server that does these things in turn, the last one ever after.
    pub fn start(turns: Vec<Does>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let question = read(&stream);
                let turn = {
                    let mut heard = heard.lock().expect("the questions");
                    heard.push(question);
                    turns[(heard.len() - 1).min(turns.len() - 1)].clone()
                };
                // Whoever asked may have gone.
                std::thread::spawn(move || drop(answer(&mut stream, &turn)));
            }
        });
        Self { address, asked }
    }

    /// The questions so far.
    pub fn asked(&self) -> Vec<Value> {
        self.asked.lock().expect("the questions").clone()
    }
}

fn read(stream: &TcpStream) -> Value {
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    serde_json::from_slice(&body).expect("a question in JSON")
}

fn answer(stream: &mut TcpStream, turn: &Does) -> std::io::Result<()> {
    match turn {
        Does::Refuse(status, header, text) => {
            let body = json!({"error": {"message": text}}).to_string();
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} No\r\n{header}\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
        }
        Does::Sleep(time) => {
            std::thread::sleep(*time);
            Ok(())
        }
        Does::Say(pieces) => {
            speak(stream, pieces)?;
            end(stream, "stop")
        }
        Does::RunOut(pieces) => {
            speak(stream, pieces)?;
            end(stream, "length")
        }
        Does::HangUp(pieces) => speak(stream, pieces),
    }
}

fn speak(stream: &mut TcpStream, pieces: &[String]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")?;
    for piece in pieces {
        event(stream, &json!({"choices": [{"index": 0, "delta": {"content": piece}}]}))?;
    }
    Ok(())
}

fn end(stream: &mut TcpStream, reason: &str) -> std::io::Result<()> {
    event(stream, &json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}))?;
    let usage = json!({"prompt_tokens": 110, "completion_tokens": 7, "total_tokens": 117});
    event(stream, &json!({"choices": [], "usage": usage}))?;
    write!(stream, "data: [DONE]\n\n")
}

fn event(stream: &mut TcpStream, data: &Value) -> std::io::Result<()> {
    write!(stream, "data: {data}\n\n")?;
    stream.flush()
}
