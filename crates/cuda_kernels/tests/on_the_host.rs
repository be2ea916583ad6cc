//! The kernels' text compiled as C++ and run on the CPU: the same arithmetic of indexes, the same roundings, beside Candle's
//! layers. What only a GPU can show (its speed, its own `expf`) this does not.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use candle_core::{DType, Device, Tensor};
use cuda_kernels::{Definitions, Number, Window};
use runtime::Activation;

/// The compiler, or `None` where there is none, which is said.
fn compiler() -> Option<String> {
    let name = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let found = Command::new(&name).arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("skipped: no C++ compiler ({name}), so the CUDA kernels' text is not run");
    }
    found.then_some(name)
}

/// A kernel as a program.
fn build(compiler: &str, folder: &Path, definitions: &Definitions) -> PathBuf {
    let program = folder.join("kernel");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compile = |watched: &[&str]| {
        let mut command = Command::new(compiler);
        command.args(["-std=c++17", "-O1", "-w"]).args(watched).args(definitions.options());
        command.arg("-I").arg(here.join("src")).arg(here.join("tests/host.cpp")).arg("-o").arg(&program);
        command.output().unwrap()
    };
    // The sanitizers see an index outside of an image; some installations lack their libraries.
    let mut compiled = compile(&["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    if !compiled.status.success() {
        compiled = compile(&[]);
    }
    assert!(compiled.status.success(), "{definitions:?}: {}", String::from_utf8_lossy(&compiled.stderr));
    program
}

fn run(program: &Path, sizes: &[usize], operands: &[&Tensor]) -> Vec<f32> {
    let mut input: Vec<u8> = sizes.iter().flat_map(|&size| (size as i32).to_ne_bytes()).collect();
    for operand in operands {
        let numbers = operand.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        input.extend(numbers.iter().flat_map(|number| number.to_ne_bytes()));
    }
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // Its answer comes after it has read everything, so that neither waits for the other.
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{sizes:?}");
    output.stdout.chunks_exact(4).map(|bytes| f32::from_ne_bytes(bytes.try_into().unwrap())).collect()
}

/// As the kernel reads it: rounded to `number`.
fn rounded(tensor: &Tensor, number: Number) -> Tensor {
    let kind = match number {
        Number::F32 => DType::F32,
        Number::F16 => DType::F16,
        Number::Bf16 => DType::BF16,
    };
    tensor.to_dtype(kind).unwrap().to_dtype(DType::F32).unwrap()
}

/// Returns the distance that a number near `size` may have from its double: the sum in another order, then the
/// rounding to `number`.
fn tolerance(number: Number, size: f32) -> f32 {
    let digits = match number {
        Number::F32 => 1e-5,
        Number::F16 => 1.0 / 2048.0,
        Number::Bf16 => 1.0 / 256.0,
    };
    digits * size.abs() + 1e-5
}

fn compare(ours: &[f32], theirs: &Tensor, number: Number, what: &str) {
    let theirs = theirs.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert!((ours - theirs).abs() <= tolerance(number, *theirs), "{what} at {index}: {ours} {theirs}");
    }
}

fn activate(x: &Tensor, activation: Activation) -> Tensor {
    match activation {
        Activation::Identity => x.clone(),
        Activation::Relu => x.relu().unwrap(),
        Activation::Relu6 => x.clamp(0f32, 6f32).unwrap(),
        Activation::Silu => x.silu().unwrap(),
        Activation::Gelu => x.gelu_erf().unwrap(),
        Activation::Sigmoid => candle_sigmoid(x),
    }
}

fn candle_sigmoid(x: &Tensor) -> Tensor {
    ((x.neg().unwrap().exp().unwrap() + 1.0).unwrap()).recip().unwrap()
}

/// Numbers between -3 and 3 in no order that a kernel could be right on by chance, the same on every run.
fn numbers(shape: &[usize]) -> Tensor {
    let number = |index: usize| 3.0 * ((index * index) as f32 * 0.7 + shape.len() as f32).sin();
    let values: Vec<f32> = (0..shape.iter().product()).map(number).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

#[test]
fn depthwise_equals_candles_grouped_convolution_for_odd_shapes_strides_and_paddings() {
    let Some(compiler) = compiler() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (number, activation, (kernel_height, kernel_width), stride) in [
        (Number::F32, Activation::Identity, (3, 3), 1),
        (Number::F32, Activation::Silu, (5, 5), 2),
        (Number::F32, Activation::Relu6, (5, 5), 2),
        (Number::F32, Activation::Gelu, (7, 7), 1),
        (Number::F32, Activation::Relu, (1, 1), 1),
        (Number::F32, Activation::Identity, (1, 5), 3),
        (Number::F16, Activation::Silu, (3, 3), 2),
        (Number::Bf16, Activation::Sigmoid, (5, 5), 1),
    ] {
        let window = Window { height: kernel_height, width: kernel_width, stride };
        let definitions = Definitions { number, activation, window: Some(window) };
        let program = build(&compiler, folder.path(), &definitions);
        for (batch, channels, height, width, (top, left, bottom, right)) in [
            (2, 5, 9, 7, (1, 1, 1, 1)),
            (1, 3, 8, 11, (0, 0, 1, 1)),
            (3, 1, 7, 7, (0, 0, 0, 0)),
            (1, 37, 7, 13, (3, 3, 3, 3)),
        ] {
            let x = rounded(&numbers(&[batch, channels, height, width]), number);
            let weight = rounded(&numbers(&[channels, 1, kernel_height, kernel_width]), number);
            let bias = rounded(&numbers(&[channels]), number);
            let padded = x.pad_with_zeros(2, top, bottom).unwrap().pad_with_zeros(3, left, right).unwrap();
            let theirs = padded.conv2d(&weight, 0, stride, 1, channels).unwrap();
            let theirs = theirs.broadcast_add(&bias.reshape((1, channels, 1, 1)).unwrap()).unwrap();
            let theirs = activate(&theirs, activation);
            let (_, _, out_height, out_width) = theirs.dims4().unwrap();
            let outputs = theirs.elem_count();
            let sizes = [outputs, channels, height, width, out_height, out_width, top, left];
            let ours = run(&program, &sizes, &[&x, &weight, &bias]);
            compare(&ours, &theirs, number, &format!("{definitions:?} {height} x {width}"));
        }
    }
}

#[test]
fn bias_and_activation_are_those_of_each_channel_in_every_precision() {
    let Some(compiler) = compiler() else { return };
    let folder = tempfile::tempdir().unwrap();
    let x = numbers(&[2, 5, 3, 7]);
    let bias = numbers(&[5]);
    for (number, activation) in [
        (Number::F32, Activation::Silu),
        (Number::F32, Activation::Sigmoid),
        (Number::F16, Activation::Gelu),
        (Number::Bf16, Activation::Relu),
    ] {
        let (x, bias) = (rounded(&x, number), rounded(&bias, number));
        let program = build(&compiler, folder.path(), &Definitions { number, activation, window: None });
        let ours = run(&program, &[2 * 5 * 3 * 7, 5, 3 * 7], &[&x, &bias]);
        let theirs = activate(&x.broadcast_add(&bias.reshape((1, 5, 1, 1)).unwrap()).unwrap(), activation);
        compare(&ours, &theirs, number, &format!("{number:?} {activation:?}"));
    }
}

/// nvrtc needs no GPU: where `NVRTC_LIBRARY` names its library, it must take the text for every type and two kinds of chip.
#[test]
fn the_run_time_compiler_takes_the_text() {
    let Some(compiler) = compiler() else { return };
    let Some(library) = std::env::var_os("NVRTC_LIBRARY").map(PathBuf::from) else {
        eprintln!("skipped: NVRTC_LIBRARY does not name libnvrtc.so, so the CUDA kernels are not compiled for a GPU");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = folder.path().join("nvrtc");
    let built = Command::new(compiler)
        .args(["-std=c++17", "-O1", "-w", "-o"])
        .args([program.as_path(), here.join("tests/nvrtc.cpp").as_path()])
        .arg("-ldl")
        .status();
    assert!(built.unwrap().success());
    let windows =
        [None, Some(Window { height: 3, width: 3, stride: 1 }), Some(Window { height: 5, width: 5, stride: 2 })];
    for chip in ["compute_75", "compute_80", "compute_90"] {
        for number in [Number::F32, Number::F16, Number::Bf16] {
            for (window, activation) in
                windows.into_iter().zip([Activation::Sigmoid, Activation::Silu, Activation::Gelu])
            {
                let definitions = Definitions { number, activation, window };
                let compiled = Command::new(&program)
                    .arg(&library)
                    .arg(here.join("src/layers.cu"))
                    .arg(format!("--gpu-architecture={chip}"))
                    .args(definitions.options())
                    // Its builtins lie beside it.
                    .env("LD_LIBRARY_PATH", library.parent().unwrap())
                    .output()
                    .unwrap();
                let said = String::from_utf8_lossy(&compiled.stderr);
                assert!(compiled.status.success(), "{chip} {definitions:?}: {said}");
                let text = String::from_utf8_lossy(&compiled.stdout);
                assert!(text.contains(".entry bias_activation("), "{definitions:?}");
                assert_eq!(text.contains(".entry depthwise("), window.is_some(), "{definitions:?}");
            }
        }
    }
}
