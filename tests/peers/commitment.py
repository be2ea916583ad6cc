"""Sends DICOM files and asks for storage commitment of them and of one object that was never sent.

commitment.py PORT same|new REPORT_PORT FILE...

"same" takes the report on the association of the request; "new" refuses it there and waits for it on REPORT_PORT.
Prints the number of objects that are safe and of those that are not.
"""

import sys
import threading
import time

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

port, mode, report_port, files = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]
taken = threading.Event()


def take(event):
    report = event.event_information
    if report.TransactionUID != transaction:
        # Of an earlier call, whose association ended before the answer was read.
        return 0x0000, None
    safe = len(report.get("ReferencedSOPSequence", []))
    failed = len(report.get("FailedSOPSequence", []))
    print(safe, failed, flush=True)
    taken.set()
    return 0x0000, None


def refuse(event):
    return 0x0110, None


sender = AE(ae_title="US7")
loops = [dcmread(file) for file in files]
for loop in loops:
    sender.add_requested_context(loop.SOPClassUID, loop.file_meta.TransferSyntaxUID)
sender.add_requested_context(StorageCommitmentPushModel)
sender.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
server = None
if mode == "new":
    handlers = [(evt.EVT_N_EVENT_REPORT, take)]
    server = sender.start_server(("127.0.0.1", report_port), block=False, evt_handlers=handlers)

answer_here = [(evt.EVT_N_EVENT_REPORT, take if mode == "same" else refuse)]
association = sender.associate("127.0.0.1", port, ae_title="ECHOLABEL", evt_handlers=answer_here)
assert association.is_established
for loop in loops:
    assert association.send_c_store(loop).Status == 0

request = Dataset()
request.TransactionUID = transaction = generate_uid()
request.ReferencedSOPSequence = []
for sop_class, sop in [(loop.SOPClassUID, loop.SOPInstanceUID) for loop in loops] + [(loops[0].SOPClassUID, "1.2.3.4")]:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop
    request.ReferencedSOPSequence.append(item)
status, _ = association.send_n_action(request, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance)
assert status.Status == 0
if mode == "same":
    assert taken.wait(60)
    # The answer to the report goes out after the handler has returned.
    time.sleep(1)
association.release()
assert taken.wait(60)
time.sleep(1)
if server:
    server.shutdown()
