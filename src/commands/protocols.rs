//! `echolabel protocols`: what complete studies hold.

use protocol::{Item, Protocol};

use super::Outcome;
use crate::cli::{Common, ProtocolsOptions};
use crate::{output, protocols};

/// Lists the protocols, or the items of one.
pub fn run(common: &Common, options: &ProtocolsOptions) -> Outcome {
    let settings = super::settings(common, daemon::Overrides::default())?;
    let chosen = match &options.protocol {
        Some(name) => vec![protocols::named(name, &settings.models)?],
        None => protocols::all(&settings.models)?,
    };
    if options.json {
        return chosen.iter().try_for_each(output::json_line);
    }
    match (&options.protocol, chosen.as_slice()) {
        (Some(_), [protocol]) => print(protocol),
        _ => chosen.iter().try_for_each(|protocol| {
            let (name, title, items) = (&protocol.name, &protocol.title, protocol.items.len());
            output::line(format_args!("{name:<12} {items:>3} items  {title}"))
        }),
    }
}

fn print(protocol: &Protocol) -> Outcome {
    output::line(format_args!("{}: {}\n  source: {}", protocol.name, protocol.title, protocol.source))?;
    protocol.items.iter().try_for_each(|item| {
        let Item { name, views, perhaps, modes, count, optional } = item;
        let modes: Vec<&str> = modes.iter().map(|mode| mode.as_str()).collect();
        let many = if *count > 1 { format!(", {count} loops") } else { String::new() };
        let optional = if *optional { ", optional" } else { "" };
        let views = match (views.as_slice(), perhaps.as_slice()) {
            ([], []) => "no label set has such a view".to_owned(),
            ([], perhaps) => format!("perhaps {}", perhaps.join(" | ")),
            (views, []) => views.join(" | "),
            (views, perhaps) => format!("{}, perhaps {}", views.join(" | "), perhaps.join(" | ")),
        };
        output::line(format_args!("  {name} ({}{many}{optional}): {views}", modes.join(" or ")))
    })
}
