//! An association that we open, plain or encrypted.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};

use dicom_ul::association::CloseSocket;
use dicom_ul::{ClientAssociation, ClientAssociationOptions, Pdu};

use super::Destination;
use crate::command::Command;
use crate::tls;

/// Bytes of a unit that is sent or taken, at most, also with a peer that takes more.
pub(super) const MAX_PDU: u32 = 131_072;

/// Class and transfer syntax of objects.
pub(super) type Kinds = BTreeSet<(String, String)>;

/// Our role in the services of an association.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// We ask for a service: the default.
    User,
    /// We are the one who provides it, and report on it.
    Provider,
}

/// Something that is done on an association, plain or encrypted.
pub(super) trait Task {
    type Output;
    fn run<S: Read + Write + CloseSocket>(self, association: &mut ClientAssociation<S>) -> Self::Output;
}

/// Opens an association for kinds of objects, runs a task on it and releases it.
pub(super) fn with_association<T: Task>(
    destination: &Destination,
    kinds: &Kinds,
    role: Role,
    task: T,
) -> Result<T::Output, String> {
    let mut options = ClientAssociationOptions::new()
        .calling_ae_title(destination.calling_ae_title.as_str())
        .called_ae_title(destination.called_ae_title.as_str())
        .max_pdu_length(MAX_PDU)
        .connection_timeout(destination.timeout)
        .read_timeout(destination.timeout)
        .write_timeout(destination.timeout);
    for (class, syntax) in kinds {
        options = options.with_presentation_context(class.clone(), vec![syntax.clone()]);
        if role == Role::Provider {
            options = options.with_role_selection(class.clone(), false, true);
        }
    }
    let address = (destination.host.as_str(), destination.port);
    let addresses: Vec<_> =
        address.to_socket_addrs().map_err(|error| format!("{}: {error}", destination.host))?.collect();
    match &destination.tls {
        None => {
            let mut association = options.establish(&addresses[..]).map_err(|error| words(&error))?;
            quicken(association.inner_stream());
            let output = task.run(&mut association);
            // Every object was answered by now.
            let _ = association.release();
            Ok(output)
        }
        Some(files) => {
            let config = tls::client_config(files).map_err(|error| error.to_string())?;
            let options = options.tls_config(config).server_name(&destination.host);
            let mut association = options.establish_tls(&addresses[..]).map_err(|error| words(&error))?;
            quicken(&association.inner_stream().sock);
            let output = task.run(&mut association);
            let _ = association.release();
            Ok(output)
        }
    }
}

/// Turns Nagle's algorithm off, which would hold every last unit back until the peer acknowledges the one before.
fn quicken(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}

pub(super) fn send_unit<S: Read + Write + CloseSocket>(
    association: &mut ClientAssociation<S>,
    unit: &Pdu,
) -> Result<(), String> {
    association.send(unit).map_err(|error| words(&error))
}

pub(super) fn receive_response<S: Read + Write + CloseSocket>(
    association: &mut ClientAssociation<S>,
) -> Result<Command, String> {
    let mut bytes = Vec::new();
    loop {
        let parts = match association.receive().map_err(|error| words(&error))? {
            Pdu::PData { data } => data,
            Pdu::AbortRQ { .. } => return Err("the destination aborted the association".into()),
            _ => return Err("the destination sent something else than an answer".into()),
        };
        for part in parts {
            bytes.extend(part.data);
            if part.is_last {
                return Command::from_bytes(&bytes).map_err(|error| error.to_string());
            }
        }
    }
}

/// Returns an error of the association with its causes.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
