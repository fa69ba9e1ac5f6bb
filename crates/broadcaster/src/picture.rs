use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, ImageReader, Limits};

/// Pixels on a side, at most.
const SIDE: u32 = 512;

/// What a sample's picture has to be.
pub(crate) const EXPECTED: &str = "a PNG or JPEG image of at most 512 x 512 pixels, in base64";

/// Checks that a picture can be shown, every pixel of it; says what it is if it cannot. Its size is read first, so that a
/// small file which claims to be a large picture costs nothing.
pub(crate) fn check(base64: &str) -> Result<(), String> {
    let bytes = STANDARD.decode(base64).map_err(|error| format!("no base64: {error}"))?;
    let format = match image::guess_format(&bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => format,
        _ => return Err(format!("{} bytes of something else", bytes.len())),
    };
    let name = if format == ImageFormat::Png { "PNG" } else { "JPEG" };
    let broken = |error| format!("a {name} that is broken: {error}");
    let reader = || ImageReader::with_format(Cursor::new(&bytes), format);
    let (width, height) = reader().into_dimensions().map_err(broken)?;
    if width > SIDE || height > SIDE {
        return Err(format!("{width} x {height} pixels"));
    }
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE), Some(SIDE));
    // Four channels of 16 bits, and as much again to work in.
    limits.max_alloc = Some(2 * 8 * u64::from(SIDE * SIDE));
    let mut reader = reader();
    reader.limits(limits);
    reader.decode().map(drop).map_err(broken)
}
