//! A peer that sends any bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use dicom_ul::pdu::{AssociationRQ, PDataValue, PDataValueType, PresentationContextProposed, UserVariableItem};
use dicom_ul::{Pdu, read_pdu, write_pdu};

use super::{EXPLICIT_LITTLE, Lab, MULTI_FRAME_ULTRASOUND, data_set, object};

/// Time within which the receiver must have let go of a connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// The presentation context of ultrasound loops; 3 is that of verification.
pub const LOOPS: u8 = 1;

pub struct Peer(pub TcpStream);

impl Peer {
    pub fn connect(lab: &Lab) -> Self {
        let stream = TcpStream::connect(lab.receiver.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Connects and asks for an association, which must be accepted.
    pub fn associate(lab: &Lab) -> Self {
        let mut peer = Self::connect(lab);
        peer.write(&request());
        assert!(matches!(peer.read(), Some(Pdu::AssociationAC(_))));
        peer
    }

    /// Sends bytes; that the receiver has closed already is no fault.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// Reads one unit; `None` where the connection was closed.
    pub fn read(&mut self) -> Option<Pdu> {
        let mut bytes = Vec::new();
        loop {
            if let Some(unit) = read_pdu(&bytes[..], 131_072, true).unwrap() {
                return Some(unit);
            }
            let mut byte = [0];
            match self.0.read(&mut byte) {
                Ok(1) => bytes.extend(byte),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("no answer and no end"),
                _ => return None,
            }
        }
    }

    /// Says that no more comes and reads to the end, which must come by itself.
    pub fn finish(mut self) -> Vec<u8> {
        let _ = self.0.shutdown(Shutdown::Write);
        self.wait_for_end()
    }

    /// Reads until the receiver closes.
    pub fn wait_for_end(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("the connection stays open"),
            _ => rest,
        }
    }
}

/// Returns the bytes of a request for an association.
pub fn request() -> Vec<u8> {
    let context = |id, class: &str| PresentationContextProposed {
        id,
        abstract_syntax: class.into(),
        transfer_syntaxes: vec![EXPLICIT_LITTLE.into()],
    };
    encoded(&Pdu::AssociationRQ(AssociationRQ {
        protocol_version: 1,
        calling_ae_title: "US7".into(),
        called_ae_title: "LAB".into(),
        application_context_name: "1.2.840.10008.3.1.1.1".into(),
        presentation_contexts: vec![context(LOOPS, MULTI_FRAME_ULTRASOUND), context(3, "1.2.840.10008.1.1")],
        user_variables: vec![UserVariableItem::MaxLength(16_384)],
    }))
}

/// Returns the bytes of a unit with one part of a message.
pub fn part(context: u8, value_type: PDataValueType, is_last: bool, data: &[u8]) -> Vec<u8> {
    let part = PDataValue { presentation_context_id: context, value_type, is_last, data: data.to_vec() };
    encoded(&Pdu::PData { data: vec![part] })
}

pub fn encoded(unit: &Pdu) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_pdu(&mut bytes, unit).unwrap();
    bytes
}

/// Returns a command set of numbers and UIDs, as implicit little endian.
pub fn command(numbers: &[(u16, u16)], uids: &[(u16, &str)]) -> Vec<u8> {
    let mut elements: Vec<(u16, Vec<u8>)> =
        numbers.iter().map(|(element, number)| (*element, number.to_le_bytes().to_vec())).collect();
    elements.extend(uids.iter().map(|(element, uid)| {
        let mut value = uid.as_bytes().to_vec();
        value.resize(value.len().next_multiple_of(2), 0);
        (*element, value)
    }));
    let mut bytes = Vec::new();
    for (element, value) in elements {
        bytes.extend([0, 0]);
        bytes.extend(element.to_le_bytes());
        bytes.extend((value.len() as u32).to_le_bytes());
        bytes.extend(value);
    }
    bytes
}

/// Returns the command set of a C-STORE request.
pub fn store_command(sop: &str) -> Vec<u8> {
    command(&[(0x0100, 1), (0x0110, 1), (0x0700, 0), (0x0800, 1)], &[(0x0002, MULTI_FRAME_ULTRASOUND), (0x1000, sop)])
}

/// Returns the bytes of a whole C-STORE of one object.
pub fn store(sop: &str, content: &[u8]) -> Vec<u8> {
    let file = object(MULTI_FRAME_ULTRASOUND, sop, "1.2", content);
    let mut bytes = part(LOOPS, PDataValueType::Command, true, &store_command(sop));
    let mut chunks = data_set(&file).chunks(10_000).peekable();
    while let Some(chunk) = chunks.next() {
        bytes.extend(part(LOOPS, PDataValueType::Data, chunks.peek().is_none(), chunk));
    }
    bytes
}
