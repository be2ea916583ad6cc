//! Pictures that are turned are found, and those that stand as usual are left alone.

use cine::{PictureOrientation, picture_orientation};
use domain::{PixelRect, RgbImage};
use phantom::{LoopSpec, Vendor, View, simulate_loop};

/// A picture with its sector, as simulated.
struct Picture {
    vendor: Vendor,
    frames: Vec<RgbImage>,
    sector: PixelRect,
}

fn pictures() -> Vec<Picture> {
    let views = [View::Apical4, View::Apical2, View::Plax, View::PsaxMid];
    let specs = Vendor::ALL.into_iter().flat_map(|vendor| {
        views.into_iter().enumerate().map(move |(seed, view)| LoopSpec { vendor, ..LoopSpec::plain(view, seed as u64) })
    });
    specs
        .map(|spec| {
            let simulated = simulate_loop(&spec);
            let frames = (0..3).map(|frame| simulated.frame(frame * 10)).collect();
            Picture { vendor: spec.vendor, frames, sector: simulated.layout().sector_rect }
        })
        .collect()
}

fn orientation(frames: &[RgbImage], sector: PixelRect) -> PictureOrientation {
    let views: Vec<_> = frames.iter().map(RgbImage::view).collect();
    picture_orientation(&views, Some(sector))
}

fn mirrored(frame: &RgbImage) -> RgbImage {
    let rows = frame.pixels().chunks(frame.width() as usize * 3);
    let pixels = rows.flat_map(|row| row.chunks(3).rev().flatten().copied()).collect();
    RgbImage::new(frame.width(), frame.height(), pixels).expect("the same size")
}

fn upside_down(frame: &RgbImage) -> RgbImage {
    let rows = frame.pixels().chunks(frame.width() as usize * 3).rev();
    RgbImage::new(frame.width(), frame.height(), rows.flatten().copied().collect()).expect("the same size")
}

#[test]
fn pictures_that_stand_as_usual_are_left_alone() {
    for Picture { frames, sector, .. } in pictures() {
        assert_eq!(orientation(&frames, sector), PictureOrientation::default());
    }
}

#[test]
fn a_mirrored_picture_is_told_by_its_marker() {
    for Picture { vendor, frames, sector } in pictures() {
        let frames: Vec<RgbImage> = frames.iter().map(mirrored).collect();
        let last = frames[0].width() - 1;
        let sector = PixelRect { x0: last - sector.x1, x1: last - sector.x0, ..sector };
        let found = orientation(&frames, sector);
        assert!(!found.is_upside_down);
        // The yellow texts of the other look are colored signs beside the apex too: which one is the marker is not told.
        assert!(found.is_mirrored || vendor == Vendor::Halden, "{vendor:?}");
    }
}

#[test]
fn a_picture_on_its_apex_is_told_by_its_fan() {
    for Picture { frames, sector, .. } in pictures() {
        let frames: Vec<RgbImage> = frames.iter().map(upside_down).collect();
        let last = frames[0].height() - 1;
        let sector = PixelRect { y0: last - sector.y1, y1: last - sector.y0, ..sector };
        assert!(orientation(&frames, sector).is_upside_down);
    }
}
