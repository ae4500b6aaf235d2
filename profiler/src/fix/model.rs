//! The fixes, as the command line names them. Pure.

use std::{ffi::OsString, fmt};

/// One change from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Nothing: the first variant once more. Shows what the tool and the
    /// machine do on their own.
    Nothing,
    /// All memory, present and future, is populated and locked from the first
    /// instruction on.
    Prefault {
        /// In everything that the command creates, too.
        children: bool,
    },
    /// The command's memory is kept out of NUMA balancing.
    NoNumaBalancing,
    /// The command's memory comes from one node, and it runs there.
    BindNuma(u32),
    /// No transparent huge pages for the command.
    NoThp,
    /// Transparent huge pages wherever they fit, on the whole machine.
    Thp,
    /// The command runs on these CPUs only.
    Pin(Vec<u32>),
    /// A variable in the command's environment.
    Env(OsString, OsString),
    /// A kernel setting, on the whole machine.
    Sysctl {
        /// Its name, with dots.
        name: String,
        /// Its new value.
        value: String,
    },
}

/// One or several fixes that make one variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixes {
    /// As it was written.
    pub name: String,
    /// The fixes.
    pub all: Vec<Fix>,
}

/// What may be written, for messages and help.
pub const SYNTAX: &str = "prefault[:children], no-numa-balancing, bind-numa:NODE, no-thp, thp, \
                          pin:CPUS, env:KEY=VALUE, sysctl:NAME=VALUE, none";

/// Reads fixes joined by `+`: `prefault+no-thp`. A `+` inside a value is written
/// as it is where no fix of that name follows.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Fixes, String> {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split('+') {
        match (fix(part), parts.last_mut()) {
            (Err(_), Some(last)) if last.contains('=') => {
                last.push('+');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    let all: Vec<Fix> = parts
        .iter()
        .map(|part| fix(part))
        .collect::<Result<_, _>>()?;
    if all.len() > 1 && all.contains(&Fix::Nothing) {
        return Err("`none` is the first variant once more, and goes with nothing else".to_owned());
    }
    Ok(Fixes {
        name: text.to_owned(),
        all,
    })
}

fn fix(text: &str) -> Result<Fix, String> {
    let separated = text.split_once([':', ' ']);
    let (name, value) = separated.map_or((text, None), |(name, value)| (name, Some(value)));
    let alone = |fix: Fix| match value {
        None => Ok(fix),
        Some(value) => Err(format!("`{name}` takes no value: leave `{value}` out")),
    };
    match name {
        "none" => alone(Fix::Nothing),
        "prefault" => match value {
            None => Ok(Fix::Prefault { children: false }),
            Some("children") => Ok(Fix::Prefault { children: true }),
            Some(other) => Err(format!(
                "`prefault:{other}` is unknown: write `prefault` or `prefault:children`"
            )),
        },
        "no-numa-balancing" => alone(Fix::NoNumaBalancing),
        "bind-numa" => value
            .and_then(|node| node.parse().ok())
            .map(Fix::BindNuma)
            .ok_or_else(|| "`bind-numa` needs the number of a node: `bind-numa:0`".to_owned()),
        "no-thp" => alone(Fix::NoThp),
        "thp" => alone(Fix::Thp),
        "pin" => {
            let list = value.ok_or("`pin` needs CPUs: `pin:2` or `pin:2-3`")?;
            crate::cpu_list::parse(list).map(Fix::Pin)
        }
        "env" => assignment(name, value).map(|(key, value)| Fix::Env(key.into(), value.into())),
        "sysctl" => {
            let (name, value) = assignment(name, value)?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
            if !name.chars().all(is_plain) || name.split(['.', '/']).any(str::is_empty) {
                return Err(format!(
                    "`{name}` is no name of a kernel setting: see `sysctl -a`"
                ));
            }
            Ok(Fix::Sysctl {
                name: name.to_owned(),
                value: value.to_owned(),
            })
        }
        _ => Err(format!("`{name}` is unknown: write one of {SYNTAX}")),
    }
}

fn assignment<'a>(fix: &str, value: Option<&'a str>) -> Result<(&'a str, &'a str), String> {
    value
        .and_then(|value| value.split_once('='))
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| format!("`{fix}` needs a name and a value: `{fix}:NAME=VALUE`"))
}

impl fmt::Display for Fix {
    /// What it means to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("the first variant once more"),
            Self::Prefault { children: false } => f.write_str(
                "all memory of the command is populated and locked from its first instruction on",
            ),
            Self::Prefault { children: true } => f.write_str(
                "all memory of the command and its children is populated and locked from the \
                 first instruction on",
            ),
            Self::NoNumaBalancing => {
                f.write_str("the command's memory is kept out of NUMA balancing")
            }
            Self::BindNuma(node) => write!(f, "memory and CPUs of NUMA node {node} only"),
            Self::NoThp => f.write_str("no transparent huge pages for the command"),
            Self::Thp => f.write_str("transparent huge pages always, on the whole machine"),
            Self::Pin(cpus) => write!(f, "on CPUs {} only", crate::cpu_list::format(cpus)),
            Self::Env(key, value) => write!(
                f,
                "with {}={} in the environment",
                key.display(),
                value.display()
            ),
            Self::Sysctl { name, value } => write!(f, "{name} = {value} on the whole machine"),
        }
    }
}

impl fmt::Display for Fixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.all.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Fix> {
        parse(text).expect("fixes").all
    }

    /// Every fix is read, alone and joined; a plus in a value stays in it.
    #[test]
    fn fixes_are_read() {
        assert_eq!(all("prefault"), [Fix::Prefault { children: false }]);
        assert_eq!(
            all("prefault:children+no-thp"),
            [Fix::Prefault { children: true }, Fix::NoThp]
        );
        assert_eq!(all("pin:0-1"), [Fix::Pin(vec![0, 1])]);
        assert_eq!(
            all("env:FLAGS=-O2+x+no-thp"),
            [Fix::Env("FLAGS".into(), "-O2+x".into()), Fix::NoThp]
        );
        assert_eq!(all("env FLAGS=1"), [Fix::Env("FLAGS".into(), "1".into())]);
        let sysctl = Fix::Sysctl {
            name: "kernel.numa_balancing".to_owned(),
            value: "0".to_owned(),
        };
        assert_eq!(all("sysctl:kernel.numa_balancing=0"), [sysctl]);
    }

    /// Nonsense is refused with what could have been meant.
    #[test]
    fn nonsense_is_refused() {
        for nonsense in [
            "",
            "prefetch",
            "prefault:all",
            "bind-numa",
            "bind-numa:x",
            "pin",
            "pin:",
            "env:A",
            "env:=1",
            "sysctl:a",
            "sysctl:../x=1",
            "sysctl:a..b=1",
            "thp:1",
            "none+thp",
        ] {
            let error = parse(nonsense).expect_err(nonsense);
            assert!(error.contains('`'), "{error}");
        }
    }
}
