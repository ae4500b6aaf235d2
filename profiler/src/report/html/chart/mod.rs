//! Charts, as SVG that fits any width: places are parts of the whole in per
//! cent, and only heights and letters have a size.

pub mod bars;
pub mod curves;
pub mod flame;
pub mod frame;
pub mod ratios;
pub mod runs;
pub mod scale;
pub mod timeline;
