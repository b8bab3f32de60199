//! The program files that come with the daemon. Their names are the only place in the sources where a
//! company shows: they are files of the package, not rules.

/// `(file name, text)` of each, in the order they are listed.
pub const SHIPPED: &[(&str, &str)] = &[
    ("voip-reseller.toml", include_str!("../../programs/voip-reseller.toml")),
    ("security-dvr.toml", include_str!("../../programs/security-dvr.toml")),
    ("unex.toml", include_str!("../../programs/unex.toml")),
    ("server-technology.toml", include_str!("../../programs/server-technology.toml")),
    ("smartwitness.toml", include_str!("../../programs/smartwitness.toml")),
];

/// The id of the program that is served where nothing else is asked for.
pub const DEFAULT: &str = "voip-reseller";
