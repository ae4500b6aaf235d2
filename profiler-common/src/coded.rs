//! Enums whose values have a number on the wire and a name in documents.

/// Defines such an enum from one table, each value as `Variant = number, "name";`.
macro_rules! coded {
    (
        $(#[$about:meta])*
        pub enum $Name:ident: $Code:ident {
            $($(#[$doc:meta])* $Variant:ident = $code:literal, $name:literal;)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr($Code)]
        pub enum $Name {
            $($(#[$doc])* $Variant = $code,)+
        }

        impl $Name {
            /// Every value, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// The name used in documents, budgets and tables.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name,)+ }
            }

            /// The value that a document's name stands for.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$Variant),)+ _ => None }
            }

            /// The number that stands for it on the wire.
            #[must_use]
            pub const fn code(self) -> $Code {
                self as $Code
            }

            /// The value that a number on the wire stands for.
            #[must_use]
            pub const fn from_code(code: $Code) -> Option<Self> {
                match code { $($code => Some(Self::$Variant),)+ _ => None }
            }
        }
    };
}

pub(crate) use coded;
