"""The reference numbers of a torch classifier whose weights a formula makes."""
import copy

import numpy as np
import torch

import formula


def write(path, name, model, side, backbone, gain=1.0, stem=None):
    """Writes outputs of `model` for images of `side` pixels; `stem` is the name of a tensor and its own gain."""
    rows = []
    with torch.no_grad():
        for key, value in model.state_dict().items():
            rule = formula.torch_rule(key, tuple(value.shape), gain * stem[1] if stem and key == stem[0] else gain)
            if rule is None:
                continue
            values = formula.tensor("net." + key, tuple(value.shape), *rule)
            value.copy_(torch.from_numpy(values))
            rows.append({"name": "net." + key, "shape": list(value.shape), "center": rule[0], "half": rule[1],
                         "xsum": formula.checksum(values)})
    model.eval()
    images = np.stack([formula.image_u8("model", side, side, 3, 0), formula.sector_u8("model", side, side, 3, 1)])
    images = torch.from_numpy(images.transpose(0, 3, 1, 2).copy()).float() / 255
    with torch.no_grad():
        ours, wide = model(images).numpy(), copy.deepcopy(model).double()(images.double()).numpy()
    drift = float(np.abs(ours.astype(np.float64) - wide).max())
    formula.write_json(path, {
        "model": name, "seed": formula.SEED, "framework": "torch " + torch.__version__.split("+")[0],
        "layout": "NCHW; conv OIHW; linear [out, in]", "gain": gain, "stem_gain": stem[1] if stem else 1.0, "backbone": backbone,
        "input": {"formula": "model_batch_u8", "items": 2, "h": side, "w": side, "scale": "float32(u8) / 255, NCHW"},
        "params": {"total": sum(p.numel() for p in model.parameters())},
        "outputs": {"logits": formula.full(ours)}, "f32_vs_f64": {"logits": {"max_abs": drift}}, "tensors": rows})
    print(name, f"{wide.std():.3g} wide, apart {np.abs(wide[0] - wide[1]).max():.3g}, rounding {drift:.1e}")
