//! Associations: who is let in, and what each asks for.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dicom_ul::Pdu;
use tokio::time::Instant;

use crate::acceptor::AcceptedConnection;
use crate::association::Association;
use crate::commitment::PendingRequests;
use crate::host::ReceiveEvent;
use crate::intake::Intake;
use crate::negotiation::{self, RefusedContext, Rejected};
use crate::scp::Scp;

/// Time within which a connection must ask for an association.
const MAX_UNTIL_REQUEST: Duration = Duration::from_secs(10);

/// The services of the AE title.
pub(crate) struct Listener {
    pub intake: Arc<Intake>,
    pub requests: Arc<PendingRequests>,
    pub refused_contexts: AtomicU64,
}

impl Listener {
    /// Serves a connection to its end.
    pub async fn serve(&self, AcceptedConnection { connection, remote, pending_slot }: AcceptedConnection) {
        let Intake { settings, folder, host, associations, .. } = &*self.intake;
        let limits = &settings.limits;
        let mut association = Association::new(connection, limits.max_pdu, limits.idle, self.intake.stopping.clone());
        let refused = |peer, reason: &str| self.intake.peer_refused(peer, remote.address, reason);
        let deadline = Instant::now() + MAX_UNTIL_REQUEST.min(limits.idle);
        let request = match association.read_unit(deadline).await {
            Ok(Pdu::AssociationRQ(request)) => request,
            Ok(_) => {
                association.abort().await;
                return refused(None, "its first message is no request for an association");
            }
            Err(error) => return refused(None, &error.to_string()),
        };
        let admitted = negotiation::admitted(settings, &request, remote)
            .and_then(|peer| associations.acquire(&peer.ae_title, limits).map_err(negotiation::congested));
        let permit = match admitted {
            Ok(permit) => permit,
            Err(Rejected { answer, reason }) => {
                refused(Some(request.calling_ae_title), &reason);
                if association.send(&Pdu::AssociationRJ(answer)).await.is_ok() {
                    association.linger().await;
                }
                return;
            }
        };
        drop(pending_slot);
        let ae_title = request.calling_ae_title.clone();
        let accepted = negotiation::accept(settings, request);
        self.contexts_refused(&ae_title, accepted.refused);
        if association.send(&Pdu::AssociationAC(accepted.answer)).await.is_err() {
            return;
        }
        association.peer_max_pdu = accepted.peer_max_pdu;
        let scp = Scp {
            association,
            contexts: accepted.contexts,
            ae_title,
            address: remote.address,
            settings,
            folder,
            host: &**host,
            requests: &self.requests,
            reports: HashMap::new(),
            next_report: 0,
            stored: 0,
            refused: 0,
        };
        scp.serve().await;
        drop(permit);
    }

    fn contexts_refused(&self, ae_title: &str, refused: Vec<RefusedContext>) {
        if refused.is_empty() {
            return;
        }
        let count = refused.len() as u64;
        let total = self.refused_contexts.fetch_add(count, Ordering::Relaxed) + count;
        let classes = refused.into_iter().map(|context| (context.abstract_syntax, context.reason)).collect();
        self.intake.host.notice(&ReceiveEvent::ContextsRefused { ae_title: ae_title.to_owned(), classes, total });
    }
}
