//! The planes of the views cut what they must.

use phantom::{LoopSpec, Sway, Tissue, View, simulate_loop};

/// A moment of the plain patient's beat.
#[derive(Clone, Copy)]
enum At {
    EndDiastole,
    EndSystole,
    EarlyFilling,
}

/// The area in cm² of a tissue in a view.
fn area(view: View, wanted: Tissue, at: At) -> f32 {
    let mut spec = LoopSpec::plain(view, 7);
    spec.size = (400, 300);
    let simulated = simulate_loop(&spec);
    let phases = simulated.phases();
    let frames = match at {
        At::EndDiastole => phases.end_diastole,
        At::EndSystole => phases.end_systole,
        At::EarlyFilling => phases.early_filling,
    };
    let time_s = frames[0] * spec.frame_time_ms / 1000.0;
    let areas = simulated.tissue_areas(time_s);
    areas.iter().filter(|(tissue, _)| *tissue == wanted).map(|(_, area)| area).sum()
}

fn assert_shows(view: View, chambers: &[(Tissue, f32)]) {
    for &(tissue, least_cm2) in chambers {
        let found = area(view, tissue, At::EndDiastole);
        assert!(found >= least_cm2, "{}: {tissue:?} {found} cm²", view.name());
    }
}

#[test]
fn each_view_shows_its_chambers() {
    use Tissue::{
        Aorta, Branches, LeftAtrium as La, LeftOutflow, LeftVentricle as Lv, Liver, PulmonaryArtery, RightAtrium as Ra,
        RightOutflow, RightVentricle as Rv,
    };
    assert_shows(View::Plax, &[(Lv, 10.0), (La, 6.0), (Aorta, 4.0), (LeftOutflow, 1.0)]);
    assert_shows(View::PsaxVessels, &[(Aorta, 4.0), (La, 5.0), (Ra, 3.0), (RightOutflow, 3.0), (PulmonaryArtery, 1.0)]);
    assert_shows(View::PsaxBase, &[(Lv, 8.0), (Rv, 5.0)]);
    let leaflets = area(View::PsaxBase, Tissue::MitralLeaflet, At::EarlyFilling);
    assert!(leaflets > 0.3, "mitral leaflets {leaflets} cm²");
    assert_shows(View::PsaxMid, &[(Lv, 8.0), (Rv, 3.0), (Tissue::Papillary, 0.8)]);
    assert_shows(View::PsaxApical, &[(Lv, 3.0)]);
    assert_shows(View::Apical2, &[(Lv, 20.0), (La, 8.0)]);
    assert_shows(View::Apical3, &[(Lv, 18.0), (La, 5.0), (Aorta, 2.0)]);
    assert_shows(View::Apical4, &[(Lv, 20.0), (La, 8.0), (Rv, 8.0), (Ra, 8.0)]);
    assert_shows(View::Apical5, &[(Lv, 18.0), (Rv, 6.0), (LeftOutflow, 1.0), (Aorta, 1.0)]);
    assert_shows(View::Suprasternal, &[(Aorta, 12.0), (Branches, 1.0)]);
    assert_shows(View::Subcostal, &[(Lv, 8.0), (Rv, 5.0), (Ra, 4.0), (La, 4.0), (Liver, 10.0)]);
}

#[test]
fn what_tells_the_views_apart_is_absent_where_it_must_be() {
    assert!(area(View::Apical2, Tissue::RightVentricle, At::EndDiastole) < 1.5);
    assert!(area(View::Apical4, Tissue::Aorta, At::EndDiastole) < 1.0);
    assert!(area(View::PsaxApical, Tissue::Papillary, At::EndDiastole) < 0.8);
    assert!(area(View::PsaxMid, Tissue::MitralLeaflet, At::EndDiastole) < 0.1);
    assert!(area(View::PsaxVessels, Tissue::LeftVentricle, At::EndDiastole) < 1.0);
}

#[test]
fn the_left_ventricle_is_smaller_at_end_systole() {
    for view in [View::Plax, View::PsaxBase, View::PsaxMid, View::Apical2, View::Apical3, View::Apical4] {
        let (diastole, systole) =
            (area(view, Tissue::LeftVentricle, At::EndDiastole), area(view, Tissue::LeftVentricle, At::EndSystole));
        assert!(systole < 0.75 * diastole, "{}: {diastole} to {systole} cm²", view.name());
    }
}

#[test]
fn the_left_atrium_fills_while_the_ventricle_empties() {
    for view in [View::Apical2, View::Apical4] {
        let (diastole, systole) =
            (area(view, Tissue::LeftAtrium, At::EndDiastole), area(view, Tissue::LeftAtrium, At::EndSystole));
        assert!(systole > 1.15 * diastole, "{}: {diastole} to {systole} cm²", view.name());
    }
}

#[test]
fn a_shaky_hand_keeps_the_view() {
    let area = |view: View, seed: u64, wanted: &[Tissue]| {
        let mut spec = LoopSpec::random_of_view(view, seed);
        spec.size = (200, 150);
        let areas = simulate_loop(&spec).tissue_areas(spec.first_r_s);
        areas.iter().filter(|(tissue, _)| wanted.contains(tissue)).map(|(_, area)| area).sum::<f32>()
    };
    for seed in 0..16 {
        let five = area(View::Apical5, seed, &[Tissue::LeftOutflow, Tissue::AorticCusp]);
        let four = area(View::Apical4, seed, &[Tissue::LeftOutflow, Tissue::AorticCusp]);
        assert!(five > 1.0 && four < 0.7 * five, "seed {seed}: outflow {four} in four, {five} cm² in five chambers");
        let right = area(View::Apical4, seed, &[Tissue::RightVentricle, Tissue::RightAtrium]);
        let two = area(View::Apical2, seed, &[Tissue::RightVentricle, Tissue::RightAtrium]);
        assert!(right > 12.0 && two < 4.0, "seed {seed}: right heart {right} in four, {two} cm² in two chambers");
        let muscles = area(View::PsaxMid, seed, &[Tissue::Papillary]);
        assert!(muscles > 0.4, "seed {seed}: papillary muscles {muscles} cm²");
        let valve = area(View::PsaxVessels, seed, &[Tissue::Aorta, Tissue::AorticCusp]);
        assert!(valve > 2.5, "seed {seed}: aortic root {valve} cm²");
    }
}

#[test]
fn a_slipping_probe_shows_another_plane_for_moments_alone() {
    let steady = LoopSpec::plain(View::Apical4, 3);
    let slipping = LoopSpec { sway: Sway::random(3, 8.0), ..steady.clone() };
    let (steady, slipping) = (simulate_loop(&steady), simulate_loop(&slipping));
    let moments = (0..40).map(|step| f64::from(step) * 0.05);
    let same = moments.filter(|&time_s| steady.tissue_areas(time_s) == slipping.tissue_areas(time_s)).count();
    assert!((20..36).contains(&same), "the same in {same} of 40 moments");
}
