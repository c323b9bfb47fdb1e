//! The static part can be built for every kind of configuration.

use super::*;
use crate::net::NetFault;
use restage_manifest::ShellConfig;
use restage_manifest::socket::RegionKind;

/// Configurations that differ in what is built.
pub(crate) fn configs() -> Vec<(&'static str, ShellConfig)> {
    let plain = ShellConfig::default();
    let everything = ShellConfig {
        ingress_time: true,
        queue_times: true,
        multicast: true,
        ingress_clones: true,
        egress_clones: true,
        resubmit: true,
        recirculate: true,
        keep_bits: 100,
        digest_bits: 90,
        ..plain.clone()
    };
    vec![
        ("plain", plain.clone()),
        ("sums", ShellConfig { payload_sum: true, ..plain.clone() }),
        ("multicast", ShellConfig { multicast: true, ..plain.clone() }),
        ("ingress clones", ShellConfig { ingress_clones: true, keep_bits: 9, ..plain.clone() }),
        ("egress clones", ShellConfig { egress_clones: true, ..plain.clone() }),
        ("resubmit", ShellConfig { resubmit: true, ..plain.clone() }),
        ("recirculate", ShellConfig { recirculate: true, keep_bits: 33, ..plain.clone() }),
        ("digests", ShellConfig { digest_bits: 70, ..plain.clone() }),
        ("everything, with sums", ShellConfig { payload_sum: true, ..everything.clone() }),
        (
            "wide",
            ShellConfig {
                data_bytes: 128,
                window_bytes: 256,
                phv_bits: 4096,
                ..everything.clone()
            },
        ),
        (
            "narrow",
            ShellConfig {
                data_bytes: 16,
                window_bytes: 48,
                payload_beats: 4096,
                phv_bits: 1024,
                ..everything.clone()
            },
        ),
        ("everything", everything),
    ]
}

fn say(faults: Vec<NetFault>) -> String {
    faults.iter().map(|f| format!("{f}\n")).collect()
}

#[test]
fn every_configuration_can_be_built() {
    for (name, config) in configs() {
        assert_eq!(config.check(), Ok(()), "{name}");
        let all = fabric(&config).unwrap_or_else(|f| panic!("{name}:\n{}", say(f)));
        let variants: Vec<_> = sockets(&config)
            .iter()
            .map(|s| (s.unit, region_interface(&config, s.kind, &format!("variant_of_{}", s.name))))
            .filter(|(unit, _)| *unit != 3)
            .collect();
        let top = shell(&config, all.fabric.interface(), &variants);
        top.unwrap_or_else(|f| panic!("{name}:\n{}", say(f)));
        let names: Vec<&str> = all.circuits().map(|c| c.name()).collect();
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len(), "{names:?}");
    }
    assert_eq!(sockets(&ShellConfig::default())[0].kind, RegionKind::Parser);
}
