//! Connections of STOW-RS: one request each, with deadlines.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use domain::{SecretSource, StowSender, StowSettings};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, EXPECT, HeaderMap};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::answer::{self, Answer};
use super::body::RequestBody;
use super::request::{self, Wanted};
use super::store;
use crate::acceptor::{AcceptedConnection, Remote};
use crate::host::ReceiveEvent;
use crate::intake::Intake;

/// Time within which the headers of a request must come.
const MAX_HEADERS_TIME: Duration = Duration::from_secs(10);

/// Bytes of the headers of a request, at most.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Time in which the body of a refused request is thrown away: many clients send it to its end before they read an answer.
const MAX_DISCARD: Duration = Duration::from_secs(1);

/// The service of STOW-RS.
pub(crate) struct StowServer {
    settings: StowSettings,
    intake: Arc<Intake>,
}

impl StowServer {
    pub fn new(settings: StowSettings, intake: Arc<Intake>) -> Self {
        Self { settings, intake }
    }

    /// Serves a connection to its end.
    pub async fn serve(self: Arc<Self>, AcceptedConnection { connection, remote, pending_slot }: AcceptedConnection) {
        let answered = Notify::new();
        let service = service_fn(|request| async {
            let answer = self.answer(request, remote).await;
            answered.notify_one();
            Ok::<_, Infallible>(answer.into_response())
        });
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(MAX_HEADERS_TIME.min(self.intake.settings.limits.idle))
            .max_buf_size(MAX_HEADER_BYTES)
            // A sender may say that no more comes before it reads the answer.
            .half_close(true)
            .keep_alive(false)
            .serve_connection(TokioIo::new(connection), service);
        let not_read = async {
            answered.notified().await;
            sleep(self.intake.settings.limits.idle).await;
        };
        // Whatever ends it, there is nobody to tell.
        tokio::select! {
            _ = served => {}
            () = not_read => {}
        }
        drop(pending_slot);
    }

    async fn answer(&self, request: Request<Incoming>, remote: Remote) -> Answer {
        let limits = &self.intake.settings.limits;
        let (head, body) = request.into_parts();
        let mut body = RequestBody::new(body, limits, self.intake.stopping.clone());
        let sender = match self.sender(&head.headers, remote) {
            Ok(sender) => sender,
            Err(reason) => {
                self.intake.peer_refused(None, remote.address, &reason);
                return refused(Answer::unauthorized(), &head.headers, body).await;
            }
        };
        let peer = sender.name.as_str();
        let wanted = match request::wanted(&head) {
            Ok(wanted) => wanted,
            Err(answer) => {
                self.intake.peer_refused(Some(peer.to_owned()), remote.address, answer.words());
                return refused(answer, &head.headers, body).await;
            }
        };
        let permit = match self.intake.associations.acquire(&sender.name, limits) {
            Ok(permit) => permit,
            Err(reason) => {
                self.intake.peer_refused(Some(peer.to_owned()), remote.address, reason);
                return refused(Answer::busy(reason), &head.headers, body).await;
            }
        };
        let Wanted { boundary, study } = wanted;
        let (outcome, trouble) = store::receive(&self.intake, peer, study.as_ref(), &boundary, &mut body).await;
        drop(permit);
        let status = answer::status(&outcome, trouble.as_ref());
        self.intake.host.notice(&ReceiveEvent::RequestEnded {
            peer: peer.to_owned(),
            address: remote.address,
            status: status.as_u16(),
            stored: outcome.stored.len() as u64,
            refused: outcome.refused() as u64,
            trouble: trouble.map(|trouble| trouble.to_string()),
        });
        Answer::of_objects(status, &outcome)
    }

    /// Finds the sender of a request.
    fn sender(&self, headers: &HeaderMap, remote: Remote) -> Result<&StowSender, String> {
        let shown = bearer_token(headers);
        let mut problem = "neither token nor certificate belong to a sender of receive.stow.senders".to_owned();
        for sender in self.settings.senders.iter().filter(|sender| sender.may_come_from(remote.address)) {
            let is_certified = sender.certificate_sha256.is_none() || sender.certificate_sha256 == remote.certificate;
            let has_token = match &sender.token {
                None => true,
                Some(source) => match self.is_token(source, shown) {
                    Ok(is_token) => is_token,
                    Err(unreadable) => {
                        problem = format!("the token of {} cannot be read: {unreadable}", sender.name);
                        false
                    }
                },
            };
            if is_certified && has_token {
                return Ok(sender);
            }
        }
        Err(problem)
    }

    /// Compares a token with the one that is configured, which is read anew so that it can be changed while the program runs.
    fn is_token(&self, source: &SecretSource, shown: Option<&str>) -> Result<bool, String> {
        let expected = tokio::task::block_in_place(|| self.intake.host.secret(source))?;
        let shown = shown.unwrap_or_default();
        // How long two digests agree says nothing about the token.
        Ok(!expected.is_empty() && Sha256::digest(shown) == Sha256::digest(expected))
    }
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Answers a request of which nothing was taken.
async fn refused(answer: Answer, headers: &HeaderMap, body: RequestBody) -> Answer {
    // Whoever asks first waits for the answer.
    if !headers.contains_key(EXPECT) {
        body.discard(MAX_DISCARD).await;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_of_a_token_may_be_written_in_any_case() {
        let headers = |value: &str| HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(bearer_token(&headers("bearer abc")), Some("abc"));
        for other in ["abc", "Basic abc", "Bearer", ""] {
            assert_eq!(bearer_token(&headers(other)), None, "{other}");
        }
    }
}
