//! Loops that break the standard in ways that scanners and exports do, and that other readers read.

mod common;

use cine::{CineError, Completeness, Loop, TimingSource, completeness};
use common::odd::{
    COLUMNS, DELIMITER, EXPLICIT_LITTLE, FRAMES, Header, IMPLICIT_LITTLE, ROWS, UNDEFINED, element, encapsulated, even,
    item, jpegs, long_head, native, picture, pictures, without_end_mark, without_huffman_tables,
};
use domain::{FindingCode, Mode};

fn open(file: Vec<u8>) -> Loop {
    Loop::from_bytes(file).expect("it opens")
}

fn codes(source: &Loop) -> Vec<FindingCode> {
    source.findings().iter().map(|finding| finding.code).collect()
}

/// Asserts that all frames are there and show the pictures, within `tolerance` levels on average.
fn assert_frames(source: &mut Loop, frames: usize, tolerance: f64) {
    assert_eq!(source.header().frames as usize, frames, "{:?}", source.findings());
    for index in 0..frames {
        let expected = picture(index, ROWS, COLUMNS);
        let frame = source.frame(index as u32).unwrap_or_else(|error| panic!("frame {index}: {error}"));
        let sum: u64 = frame.pixels().iter().zip(&expected).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = sum as f64 / expected.len() as f64;
        assert!(mean <= tolerance, "frame {index} is {mean:.2} levels off");
    }
}

fn completeness_of(file: &[u8]) -> Completeness {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("loop.dcm");
    std::fs::write(&path, file).expect("the file can be written");
    completeness(&path)
}

fn is_complete(file: &[u8]) -> bool {
    matches!(completeness_of(file), Completeness::Complete { .. })
}

#[test]
fn compressed_frames_are_found_in_an_element_of_defined_length() {
    let mut content = item(&[]);
    jpegs(ROWS).iter().for_each(|frame| content.extend(item(frame)));
    let file = Header::jpeg().file(&native(&content));
    assert!(is_complete(&file));
    let mut source = open(file);
    assert!(codes(&source).contains(&FindingCode::PixelItemsInDefinedLength));
    assert_frames(&mut source, FRAMES, 3.0);
}

#[test]
fn one_compressed_frame_is_found_without_items() {
    let file = Header { frames: 1, ..Header::jpeg() }.file(&native(&jpegs(ROWS)[0]));
    assert!(is_complete(&file));
    let mut source = open(file);
    assert!(codes(&source).contains(&FindingCode::PixelDataWithoutItems));
    assert_frames(&mut source, 1, 3.0);
}

#[test]
fn plain_samples_are_found_in_an_element_of_undefined_length() {
    let head = long_head(0x7FE0, 0x0010, b"OB", UNDEFINED);
    for end in [DELIMITER.as_slice(), &[]] {
        let file = Header::default().file(&[head.as_slice(), &pictures(), end].concat());
        assert!(is_complete(&file), "{:?}", completeness_of(&file));
        let mut source = open(file);
        assert!(codes(&source).contains(&FindingCode::PixelDataOfUndefinedLength));
        assert_frames(&mut source, FRAMES, 0.0);
    }
    let cut = Header::default().file(&[head.as_slice(), &pictures()[..100_000]].concat());
    assert!(!is_complete(&cut), "half the samples are missing");
}

/// The loop with private elements before group 0028.
fn with_private(transfer_syntax: &'static str, private: &[u8]) -> Vec<u8> {
    let implicit = transfer_syntax == IMPLICIT_LITTLE;
    let creator = element(0x0021, 0x0010, b"LO", b"TESTCO", implicit);
    let extra = [creator.as_slice(), private].concat();
    let head = match implicit {
        true => {
            let length = (pictures().len() as u32).to_le_bytes();
            [&[0xE0, 0x7F, 0x10, 0x00], length.as_slice()].concat()
        }
        false => long_head(0x7FE0, 0x0010, b"OB", pictures().len() as u32),
    };
    Header { transfer_syntax, extra, ..Header::default() }.file(&[head, pictures()].concat())
}

const OPEN_ITEM: [u8; 8] = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
const CLOSE_ITEM: [u8; 8] = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0];

fn explicit_item_content() -> Vec<u8> {
    let code = element(0x0008, 0x0100, b"SH", b"ABC ", false);
    let meaning = element(0x0008, 0x0104, b"LO", b"MEANING ", false);
    [code, meaning].concat()
}

#[test]
fn a_sequence_is_read_as_its_items_are_encoded() {
    let content = explicit_item_content();
    let sequence = |head: Vec<u8>| [head.as_slice(), &OPEN_ITEM, &content, &CLOSE_ITEM, &DELIMITER].concat();
    let unknown = sequence(long_head(0x0021, 0x1001, b"UN", UNDEFINED));
    let in_implicit = sequence([&[0x21, 0x00, 0x01, 0x10], UNDEFINED.to_le_bytes().as_slice()].concat());
    // The same sequence as a big endian machine wrote it, without swapping what it copied.
    let swapped = [
        long_head(0x0021, 0x1001, b"SQ", UNDEFINED).as_slice(),
        &[0xFF, 0xFE, 0xE0, 0x00, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x00, 0x08, 0x01, 0x00, b'S', b'H', 0x00, 0x04],
        b"ABC ",
        &[0xFF, 0xFE, 0xE0, 0x0D, 0, 0, 0, 0],
        &[0xFF, 0xFE, 0xE0, 0xDD, 0, 0, 0, 0],
    ]
    .concat();
    for (name, file) in [
        ("unknown", with_private(EXPLICIT_LITTLE, &unknown)),
        ("explicit in implicit", with_private(IMPLICIT_LITTLE, &in_implicit)),
        ("swapped", with_private(EXPLICIT_LITTLE, &swapped)),
    ] {
        assert!(is_complete(&file), "{name}: {:?}", completeness_of(&file));
        let mut source = open(file);
        println!("{name}: {:?}", source.findings());
        assert_frames(&mut source, FRAMES, 0.0);
    }
}

#[test]
fn an_element_between_items_is_a_damaged_header_and_not_an_incomplete_file() {
    let sequence = [
        long_head(0x0021, 0x1001, b"SQ", UNDEFINED).as_slice(),
        &element(0x0008, 0x0100, b"SH", b"ABCD", false),
        &DELIMITER,
    ]
    .concat();
    let file = with_private(EXPLICIT_LITTLE, &sequence);
    assert!(is_complete(&file), "waiting would not mend it");
    let error = Loop::from_bytes(file).expect_err("it cannot be read past");
    assert_eq!(error.kind(), "corrupt_header");
}

#[test]
fn a_placeholder_for_a_value_representation_is_passed_over() {
    let odd = [&[0x21, 0x00, 0x02, 0x10, b'?', b'?', 4, 0], b"1234".as_slice()].concat();
    let mut source = open(with_private(EXPLICIT_LITTLE, &odd));
    assert!(codes(&source).contains(&FindingCode::VrUnknown));
    assert_frames(&mut source, FRAMES, 0.0);
}

#[test]
fn a_decimal_comma_is_a_decimal_point() {
    let pixels = native(&pictures());
    let uniform = open(Header { frame_time: Some("41,667"), ..Header::default() }.file(&pixels));
    let vector = Some(["0", "41,667"].into_iter().chain([r"41,667"; 6]).collect::<Vec<_>>().join("\\"));
    let uneven = open(Header { frame_time: None, frame_time_vector: vector, ..Header::default() }.file(&pixels));
    for source in [uniform, uneven] {
        let timing = &source.header().timing;
        assert!(!timing.guessed);
        assert!((timing.frame_time_ms() - 41.667).abs() < 1e-9, "{timing:?}");
        assert!(codes(&source).contains(&FindingCode::DecimalComma));
    }
}

#[test]
fn a_vector_without_its_first_entry_or_with_a_repeated_frame_still_gives_the_times() {
    let pixels = native(&pictures());
    let with_vector = |entries: &[&str]| {
        let vector = Some(entries.join("\\"));
        open(Header { frame_time: None, frame_time_vector: vector, ..Header::default() }.file(&pixels))
    };
    let short = with_vector(&["40"; FRAMES - 1]);
    assert_eq!(short.header().timing.source, TimingSource::FrameTimeVector);
    assert_eq!(short.header().timing.frame_time_ms(), 40.0);
    assert!(codes(&short).contains(&FindingCode::TimingVectorOneShort));

    let repeated = with_vector(&["0", "40", "40", "0", "40", "40", "40", "40"]);
    let timing = &repeated.header().timing;
    assert!((timing.frame_time_ms() - 240.0 / 7.0).abs() < 0.01, "{timing:?}");
    let behind_ms = timing.time_of_frame_ms(3) - timing.time_of_frame_ms(2);
    assert!((0.0..0.1).contains(&behind_ms), "{behind_ms}");
    assert!(codes(&repeated).contains(&FindingCode::TimingFramesRepeated));

    let negative = with_vector(&["0", "40", "-40", "40", "40", "40", "40", "40"]);
    assert!(negative.header().timing.guessed);
}

#[test]
fn frames_without_an_end_mark_are_read_where_their_scan_is_whole() {
    let whole = jpegs(ROWS);
    let mut last_only = whole.clone();
    last_only[FRAMES - 1] = without_end_mark(&whole[FRAMES - 1]);
    let none: Vec<Vec<u8>> = whole.iter().map(|frame| without_end_mark(frame)).collect();
    for frames in [last_only, none] {
        let file = Header::jpeg().file(&encapsulated(&frames));
        assert!(is_complete(&file), "its delimiter is there: nothing more will come");
        let mut source = open(file);
        assert_frames(&mut source, FRAMES, 3.0);
        assert!(codes(&source).contains(&FindingCode::FrameDamaged));
    }
}

#[test]
fn a_frame_that_is_cut_inside_its_scan_is_refused() {
    let whole = jpegs(ROWS);
    for share in [30, 60, 90, 97] {
        let mut frames = whole.clone();
        let frame = &mut frames[2];
        frame.truncate(frame.len() * share / 100 / 2 * 2);
        let mut source = open(Header::jpeg().file(&encapsulated(&frames)));
        let error = source.frame(2).expect_err("a part of its scan is missing");
        assert_eq!(error.kind(), "corrupt_frame", "{share} %");
        assert!(source.frame(3).is_ok());
    }
}

#[test]
fn frames_without_huffman_tables_are_read_with_the_standard_ones() {
    let frames: Vec<Vec<u8>> = jpegs(ROWS).iter().map(|frame| without_huffman_tables(frame)).collect();
    let mut source = open(Header::jpeg().file(&encapsulated(&frames)));
    assert_frames(&mut source, FRAMES, 3.0);
    assert!(codes(&source).contains(&FindingCode::FrameDamaged));
}

#[test]
fn a_loop_that_calls_itself_a_still_has_its_frames() {
    let file = Header { frames: 1, ..Header::jpeg() }.file(&encapsulated(&jpegs(ROWS)));
    assert!(is_complete(&file));
    let mut source = open(file);
    assert!(codes(&source).contains(&FindingCode::MoreFramesThanDeclared));
    assert_frames(&mut source, FRAMES, 3.0);
}

#[test]
fn one_frame_in_several_fragments_stays_one_frame() {
    let frame = jpegs(ROWS).swap_remove(0);
    let (first, rest) = frame.split_at(frame.len() / 4 * 2);
    let file = Header { frames: 1, ..Header::jpeg() }.file(&encapsulated(&[first.to_vec(), rest.to_vec()]));
    assert_frames(&mut open(file), 1, 3.0);
}

#[test]
fn a_pad_byte_behind_each_odd_frame_is_passed_over() {
    let (rows, columns) = (121, 161);
    let padded: Vec<u8> = (0..FRAMES).flat_map(|frame| [picture(frame, rows, columns), vec![0]].concat()).collect();
    let mut source = open(Header { rows, columns, ..Header::default() }.file(&native(&padded)));
    assert!(codes(&source).contains(&FindingCode::FramesPadded));
    for index in 0..FRAMES {
        assert_eq!(source.frame(index as u32).expect("it decodes").into_pixels(), picture(index, rows, columns));
    }
}

#[test]
fn signed_samples_have_their_black_at_zero_or_at_the_lowest() {
    let gray: Vec<i16> = pictures().iter().step_by(3).map(|level| i16::from(*level)).collect();
    let header = || Header { samples_per_pixel: 1, photometric: "MONOCHROME2", signed: 1, ..Header::default() };
    for (bits, stored) in [
        ((16, 12), gray.iter().map(|level| level * 8).collect::<Vec<_>>()),
        ((16, 12), gray.iter().map(|level| level * 16 - 2048).collect()),
        ((16, 16), gray.iter().map(|level| level * 128).collect()),
        ((16, 16), gray.iter().map(|level| (i32::from(*level) * 256 - 32_768) as i16).collect()),
    ] {
        let bytes: Vec<u8> = stored.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut source = open(Header { bits, ..header() }.file(&native(&bytes)));
        assert_frames(&mut source, FRAMES, 1.0);
    }
}

/// A frame as three planes.
fn planes(picture: &[u8]) -> Vec<u8> {
    (0..3).flat_map(|plane| picture.iter().skip(plane).step_by(3).copied()).collect()
}

#[test]
fn an_order_of_samples_that_the_header_contradicts_is_seen_in_the_pixels() {
    let in_planes: Vec<u8> = (0..FRAMES).flat_map(|frame| planes(&picture(frame, ROWS, COLUMNS))).collect();
    for (planar, pixels, lies) in
        [(0, pictures(), false), (1, in_planes.clone(), false), (0, in_planes, true), (1, pictures(), true)]
    {
        let mut source = open(Header { planar, ..Header::default() }.file(&native(&pixels)));
        assert_frames(&mut source, FRAMES, 0.0);
        let said = codes(&source).contains(&FindingCode::PlanarConfigurationContradicted);
        assert_eq!(said, lies, "planar configuration {planar}");
    }
}

#[test]
fn colors_are_left_in_the_order_of_the_header() {
    // Red rises to the right, green downward; then a screen of one color, whose planes and pixels all look alike.
    let ramps = |pixel: usize| [(pixel % 160) as u8 + 60, (pixel / 160) as u8 + 90, 20];
    let blue = |_| [10, 60, 200];
    for color in [&ramps as &dyn Fn(usize) -> [u8; 3], &blue] {
        let colors: Vec<u8> = (0..usize::from(ROWS) * usize::from(COLUMNS)).flat_map(color).collect();
        for (planar, stored) in [(0, colors.clone()), (1, planes(&colors))] {
            let mut source = open(Header { frames: 1, planar, ..Header::default() }.file(&native(&stored)));
            assert!(source.frame(0).expect("it decodes").into_pixels() == colors, "planar configuration {planar}");
            assert!(!codes(&source).contains(&FindingCode::PlanarConfigurationContradicted));
        }
    }
}

#[test]
fn color_of_twelve_bits_has_its_brightness() {
    let wide: Vec<u8> = pictures().iter().flat_map(|sample| (u16::from(*sample) << 4).to_le_bytes()).collect();
    let mut source = open(Header { bits: (16, 12), ..Header::default() }.file(&native(&wide)));
    assert_frames(&mut source, FRAMES, 0.0);
}

#[test]
fn one_sample_that_is_called_rgb_is_gray() {
    let gray: Vec<u8> = pictures().chunks(3).map(|pixel| pixel[1]).collect();
    let mut source = open(Header { samples_per_pixel: 1, ..Header::default() }.file(&native(&gray)));
    assert!(codes(&source).contains(&FindingCode::SamplesDisagreeWithPhotometricInterpretation));
    assert_frames(&mut source, FRAMES, 0.0);
    assert_eq!(source.mode().expect("it decodes").0, Mode::TwoD);
}

#[test]
fn a_region_of_one_pixel_is_no_region() {
    let mut source = open(Header { region: Some([0; 4]), ..Header::default() }.file(&native(&pictures())));
    assert!(codes(&source).contains(&FindingCode::RegionTooSmall));
    assert!(source.header().regions.is_empty());
    assert_eq!(source.sector(), open(Header::default().file(&native(&pictures()))).sector());
}

#[test]
fn frames_that_nobody_decodes_are_an_error_and_no_mode() {
    // JPEGs of another height than the header says.
    let mut source = open(Header::jpeg().file(&encapsulated(&jpegs(ROWS + 16))));
    assert!(matches!(source.mode(), Err(CineError::CorruptFrame { .. })));
}

#[test]
fn empty_pixel_data_is_no_image_and_nothing_to_wait_for() {
    let file = Header { frames: 1, ..Header::default() }.file(&native(&[]));
    assert!(is_complete(&file));
    assert!(matches!(Loop::from_bytes(file), Err(CineError::NoPixelData { .. })));
}

#[test]
fn a_frame_that_ends_in_a_hole_of_zeros_may_still_be_filled() {
    let mut frames = jpegs(ROWS);
    let frame = &mut frames[FRAMES - 1];
    let half = frame.len() / 2;
    frame[half..].fill(0);
    let frames: Vec<Vec<u8>> = frames.into_iter().map(|frame| even(frame, 0)).collect();
    assert!(!is_complete(&Header::jpeg().file(&encapsulated(&frames))));
}

#[test]
fn retired_modalities_are_ultrasound() {
    for (modality, expected) in [("EC", true), ("DD", true), ("CD", true), ("US", true), ("MR", false)] {
        let mut source = open(Header { modality, ..Header::default() }.file(&native(&pictures())));
        assert_eq!(source.header().may_be_ultrasound(), expected, "{modality}");
        assert_eq!(source.mode().expect("it decodes").0 == Mode::TwoD, expected, "{modality}");
    }
}

#[test]
fn stored_jpegs_are_handed_on_only_where_every_program_shows_them_right() {
    let handed_on = |frames: &[Vec<u8>], header: Header| {
        let mut source = open(header.file(&encapsulated(frames)));
        source.displayable_jpeg(1).expect("frame 1 is there")
    };
    assert_eq!(handed_on(&jpegs(ROWS), Header::jpeg()), Some(jpegs(ROWS)[1].clone()));

    // RGB without a marker: a browser takes it for YCbCr.
    let without_jfif: Vec<Vec<u8>> = jpegs(ROWS).iter().map(|jpeg| [&jpeg[..2], &jpeg[20..]].concat()).collect();
    assert_eq!(handed_on(&without_jfif, Header { photometric: "RGB", ..Header::jpeg() }), None);
    assert!(handed_on(&without_jfif, Header::jpeg()).is_some());

    for damaged in [without_end_mark, without_huffman_tables] {
        let frames: Vec<Vec<u8>> = jpegs(ROWS).iter().map(|jpeg| damaged(jpeg)).collect();
        assert_eq!(handed_on(&frames, Header::jpeg()), None);
    }
    assert_eq!(handed_on(&jpegs(ROWS + 16), Header::jpeg()), None, "another size than the header's");
    let mut plain = open(Header::default().file(&native(&pictures())));
    assert_eq!(plain.displayable_jpeg(0).expect("frame 0 is there"), None);
    assert!(plain.displayable_jpeg(FRAMES as u32).is_err());
}
