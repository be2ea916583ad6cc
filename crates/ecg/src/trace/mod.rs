//! Reads an ECG trace that is drawn into the pixels of a loop.
