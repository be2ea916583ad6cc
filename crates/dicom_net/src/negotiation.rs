//! The answer to an association request: whether the peer may come in, and which contexts are accepted.

use dicom_ul::pdu::{
    AssociationAC, AssociationRJ, AssociationRJResult, AssociationRJServiceProviderPresentationReason,
    AssociationRJServiceUserReason, AssociationRJSource, AssociationRQ, DEFAULT_MAX_PDU, PresentationContextProposed,
    PresentationContextResult, PresentationContextResultReason, UserVariableItem,
};
use domain::{Peer, ReceiveSettings};

use crate::acceptor::Remote;
use crate::classes;
use crate::commitment::{self, Encoding};
use crate::file_meta::IMPLEMENTATION_CLASS;

/// The application context of DICOM.
pub(crate) const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";

/// Name of this implementation, at most 16 characters.
const IMPLEMENTATION_VERSION: &str = "ECHOLABEL";

/// A presentation context that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Context {
    pub id: u8,
    pub abstract_syntax: String,
    pub transfer_syntax: String,
}

/// A presentation context that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedContext {
    pub abstract_syntax: String,
    pub reason: &'static str,
}

/// An association that is accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub answer: AssociationAC,
    pub contexts: Vec<Context>,
    pub refused: Vec<RefusedContext>,
    /// Bytes of a protocol data unit that the peer takes, at most.
    pub peer_max_pdu: u32,
}

/// An association that is rejected.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub answer: AssociationRJ,
    pub reason: String,
}

/// Finds the peer that a request comes from.
pub(crate) fn admitted<'a>(
    settings: &'a ReceiveSettings,
    request: &AssociationRQ,
    remote: Remote,
) -> Result<&'a Peer, Rejected> {
    use AssociationRJServiceUserReason as Reason;
    if request.protocol_version & 1 == 0 {
        return Err(rejected(Reason::NoReasonGiven, "another version of the protocol"));
    }
    if request.application_context_name.trim_end_matches('\0') != APPLICATION_CONTEXT {
        return Err(rejected(Reason::ApplicationContextNameNotSupported, "another application context"));
    }
    let named: Vec<&Peer> =
        settings.peers.iter().filter(|peer| peer.ae_title.as_str() == request.calling_ae_title).collect();
    if named.is_empty() {
        return Err(rejected(Reason::CallingAETitleNotRecognized, "its AE title is not in receive.peers"));
    }
    let nearby: Vec<&Peer> = named.into_iter().filter(|peer| peer.may_come_from(remote.address)).collect();
    if nearby.is_empty() {
        return Err(rejected(Reason::CallingAETitleNotRecognized, "its address is not among those of its AE title"));
    }
    let is_certified = |peer: &&&Peer| peer.certificate_sha256.is_none_or(|wanted| remote.certificate == Some(wanted));
    let Some(peer) = nearby.iter().find(is_certified) else {
        return Err(rejected(Reason::CallingAETitleNotRecognized, "its certificate is not that of its AE title"));
    };
    // A success tells the peer that it may delete its copy, so the object must have been meant for us.
    if request.called_ae_title != settings.ae_title.as_str() {
        return Err(rejected(Reason::CalledAETitleNotRecognized, "it calls another AE title than receive.ae_title"));
    }
    Ok(peer)
}

/// Rejects a request for now: too many associations are open.
pub(crate) fn congested(reason: &str) -> Rejected {
    let source = AssociationRJSource::ServiceProviderPresentation(
        AssociationRJServiceProviderPresentationReason::TemporaryCongestion,
    );
    Rejected { answer: AssociationRJ { result: AssociationRJResult::Transient, source }, reason: reason.to_owned() }
}

fn rejected(reason: AssociationRJServiceUserReason, words: &str) -> Rejected {
    let source = AssociationRJSource::ServiceUser(reason);
    Rejected { answer: AssociationRJ { result: AssociationRJResult::Permanent, source }, reason: words.to_owned() }
}

/// Accepts the contexts of a request whose classes and transfer syntaxes are taken here.
pub(crate) fn accept(settings: &ReceiveSettings, request: AssociationRQ) -> Accepted {
    let mut contexts: Vec<Context> = Vec::new();
    let mut refused = Vec::new();
    let mut results = Vec::new();
    for proposed in &request.presentation_contexts {
        let result = judge(settings, proposed);
        let is_new = contexts.iter().all(|context| context.id != proposed.id);
        let (reason, transfer_syntax) = match result {
            Ok(transfer_syntax) if is_new => {
                contexts.push(Context {
                    id: proposed.id,
                    abstract_syntax: trimmed(&proposed.abstract_syntax).to_owned(),
                    transfer_syntax: transfer_syntax.to_owned(),
                });
                (PresentationContextResultReason::Acceptance, transfer_syntax)
            }
            Ok(_) => continue,
            Err((reason, words)) => {
                let abstract_syntax = trimmed(&proposed.abstract_syntax).to_owned();
                refused.push(RefusedContext { abstract_syntax, reason: words });
                // Not significant in a refusal, but some peers fail on an empty one.
                (reason, "1.2.840.10008.1.2")
            }
        };
        results.push(PresentationContextResult {
            id: proposed.id,
            reason,
            transfer_syntax: transfer_syntax.to_owned(),
        });
    }
    let peer_max_pdu = request.user_variables.iter().find_map(|item| match item {
        UserVariableItem::MaxLength(length) => Some(*length),
        _ => None,
    });
    let answer = AssociationAC {
        protocol_version: 1,
        calling_ae_title: request.calling_ae_title,
        called_ae_title: request.called_ae_title,
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: results,
        user_variables: vec![
            UserVariableItem::MaxLength(settings.limits.max_pdu),
            UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS.to_owned()),
            UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
        ],
    };
    Accepted { answer, contexts, refused, peer_max_pdu: usable_max_pdu(peer_max_pdu) }
}

/// Returns the bytes of a unit that we send; a peer that says 0 takes any.
fn usable_max_pdu(stated: Option<u32>) -> u32 {
    match stated {
        None | Some(0) => DEFAULT_MAX_PDU,
        Some(stated) => stated.clamp(128, DEFAULT_MAX_PDU),
    }
}

/// Returns the first transfer syntax of a context that is taken here.
fn judge<'a>(
    settings: &ReceiveSettings,
    proposed: &'a PresentationContextProposed,
) -> Result<&'a str, (PresentationContextResultReason, &'static str)> {
    let class = trimmed(&proposed.abstract_syntax);
    let is_accepted = class == classes::VERIFICATION
        || class == commitment::SOP_CLASS
        || classes::is_accepted(&settings.private_classes, class);
    if !is_accepted {
        let reason = PresentationContextResultReason::AbstractSyntaxNotSupported;
        return Err((reason, "the SOP class is neither known nor in receive.private_classes"));
    }
    let is_known = |syntax: &&str| match class == commitment::SOP_CLASS {
        true => Encoding::of(syntax).is_some(),
        false => classes::is_transfer_syntax(syntax),
    };
    proposed.transfer_syntaxes.iter().map(|syntax| trimmed(syntax)).find(is_known).ok_or((
        PresentationContextResultReason::TransferSyntaxesNotSupported,
        "none of its transfer syntaxes is known",
    ))
}

fn trimmed(uid: &str) -> &str {
    uid.trim_end_matches(['\0', ' '])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::ReceiveLimits;

    use super::*;

    fn settings() -> ReceiveSettings {
        ReceiveSettings {
            listen: "127.0.0.1:0".parse().unwrap(),
            ae_title: "LAB".parse().unwrap(),
            peers: vec![Peer {
                ae_title: "US7".parse().unwrap(),
                addresses: vec!["10.1.2.0/24".parse().unwrap()],
                certificate_sha256: None,
                report_to: None,
            }],
            folder: "in".into(),
            private_classes: vec!["1.3.46.670589.2.5.1.1".into()],
            limits: ReceiveLimits {
                max_pdu: 131_072,
                max_object: 1 << 20,
                max_associations: 1,
                max_associations_per_peer: 1,
                idle: Duration::from_secs(1),
                least_rate: 1,
                keep_free: 0,
            },
            tls: None,
            stow: None,
        }
    }

    fn request(contexts: &[(u8, &str, &[&str])]) -> AssociationRQ {
        AssociationRQ {
            protocol_version: 1,
            calling_ae_title: "US7".into(),
            called_ae_title: "LAB".into(),
            application_context_name: APPLICATION_CONTEXT.into(),
            presentation_contexts: contexts
                .iter()
                .map(|(id, class, syntaxes)| PresentationContextProposed {
                    id: *id,
                    abstract_syntax: (*class).to_owned(),
                    transfer_syntaxes: syntaxes.iter().map(|syntax| (*syntax).to_owned()).collect(),
                })
                .collect(),
            user_variables: vec![UserVariableItem::MaxLength(0)],
        }
    }

    fn remote(address: &str) -> Remote {
        Remote { address: address.parse().unwrap(), certificate: None }
    }

    #[test]
    fn only_named_peers_from_their_addresses_come_in() {
        let settings = settings();
        assert!(admitted(&settings, &request(&[]), remote("10.1.2.9")).is_ok());
        assert!(admitted(&settings, &request(&[]), remote("10.1.3.9")).is_err());
        let stranger = AssociationRQ { calling_ae_title: "US8".into(), ..request(&[]) };
        assert!(admitted(&settings, &stranger, remote("10.1.2.9")).is_err());
        let astray = AssociationRQ { called_ae_title: "PACS".into(), ..request(&[]) };
        assert!(admitted(&settings, &astray, remote("10.1.2.9")).is_err());
        let closed = ReceiveSettings { peers: Vec::new(), ..settings };
        assert!(admitted(&closed, &request(&[]), remote("10.1.2.9")).is_err());
    }

    #[test]
    fn a_certificate_that_is_named_must_be_shown() {
        let mut settings = settings();
        settings.peers[0].certificate_sha256 = Some([7; 32].into());
        assert!(admitted(&settings, &request(&[]), remote("10.1.2.9")).is_err());
        let shown = |digest: [u8; 32]| Remote { certificate: Some(digest.into()), ..remote("10.1.2.9") };
        assert!(admitted(&settings, &request(&[]), shown([7; 32])).is_ok());
        assert!(admitted(&settings, &request(&[]), shown([8; 32])).is_err());
    }

    #[test]
    fn contexts_are_accepted_one_by_one() {
        let accepted = accept(
            &settings(),
            request(&[
                (1, "1.2.840.10008.1.1", &["1.2.840.10008.1.2"]),
                (3, "1.2.840.10008.5.1.4.1.1.3.1\0", &["1.2.3.4", "1.2.840.10008.1.2.4.50"]),
                (5, "1.2.840.10008.5.1.4.1.1.4", &["1.2.840.10008.1.2"]),
                (7, "1.2.840.10008.5.1.4.1.1.3.1", &["1.2.3.4"]),
                (9, "1.3.46.670589.2.5.1.1", &["1.2.840.10008.1.2.1"]),
                (9, "1.2.840.10008.1.1", &["1.2.840.10008.1.2"]),
            ]),
        );
        let ids: Vec<u8> = accepted.contexts.iter().map(|context| context.id).collect();
        assert_eq!(ids, [1, 3, 9]);
        assert_eq!(accepted.contexts[1].transfer_syntax, "1.2.840.10008.1.2.4.50");
        assert_eq!(accepted.contexts[2].abstract_syntax, "1.3.46.670589.2.5.1.1");
        let refused: Vec<&str> = accepted.refused.iter().map(|context| context.abstract_syntax.as_str()).collect();
        assert_eq!(refused, ["1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.3.1"]);
    }
}
