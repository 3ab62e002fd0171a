//! Logos that tenants upload. What is stored and shown is a picture of our own encoder: nothing of the file but its
//! pixels is left. SVG can hold script and is no picture in this sense.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use sha2::{Digest, Sha256};

use crate::ids;
use tokio::sync::Semaphore;

/// Maximum size of a file, in bytes.
pub const MAX_LOGO: usize = 1024 * 1024;

/// Maximum width and height of a file, in pixels. Looked at before anything is decoded.
const MAX_SIDE: u32 = 4096;
const MAX_PIXELS: u64 = 4_000_000;
/// Maximum memory that a decoder may ask for, in bytes.
const MAX_DECODED: u64 = 64 * 1024 * 1024;

/// What is stored: twice the size at which it is shown, for dense screens.
const STORED_WIDTH: u32 = 400;
const STORED_HEIGHT: u32 = 104;

/// Pictures that are decoded at once in this process.
static DECODING: Semaphore = Semaphore::const_new(1);

/// A logo as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// SHA-256 of the picture, in hexadecimal: its address.
    pub digest: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// PNG, in Base64.
    pub png: String,
}

/// Why a file is no logo. Tells what to send instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// It is of none of the formats.
    #[error("The logo must be a PNG, JPEG or WebP file")]
    Format,
    /// It has too many pixels.
    #[error("The logo must have at most 4096 pixels on each side, and 4 million in all")]
    Pixels,
    /// It cannot be decoded.
    #[error("The logo cannot be read: save it once more as PNG")]
    Broken,
}

/// Decodes a file and encodes its pixels anew, as large as they are shown.
///
/// # Errors
///
/// When it is no picture that can be shown.
pub async fn encode(file: bytes::Bytes) -> Result<Logo, LogoError> {
    // It is never closed.
    let turn = DECODING.acquire().await;
    // The turn ends with the work, which goes on where the client hangs up.
    let work = move || {
        let _turn = turn;
        encode_now(&file)
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(LogoError::Broken))
}

fn encode_now(file: &[u8]) -> Result<Logo, LogoError> {
    let picture = shrunk(decode(file)?);
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|_| LogoError::Broken)?;
    let png = png.into_inner();
    let digest = ids::hex(&Sha256::digest(&png));
    Ok(Logo { digest, width: picture.width(), height: picture.height(), png: STANDARD.encode(png) })
}

fn decode(file: &[u8]) -> Result<DynamicImage, LogoError> {
    let format = image::guess_format(file).map_err(|_| LogoError::Format)?;
    if ![ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP].contains(&format) {
        return Err(LogoError::Format);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| match error {
        image::ImageError::Limits(_) => LogoError::Pixels,
        _ => LogoError::Broken,
    })?;
    let (width, height) = decoder.dimensions();
    let is_large = width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS;
    if is_large || width == 0 || height == 0 {
        return Err(LogoError::Pixels);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| LogoError::Broken)?;
    picture.apply_orientation(orientation);
    // Eight bits and a transparency, whatever it was: of one kind as it is shown.
    Ok(picture.into_rgba8().into())
}

fn shrunk(picture: DynamicImage) -> DynamicImage {
    if picture.width() <= STORED_WIDTH && picture.height() <= STORED_HEIGHT {
        return picture;
    }
    picture.resize(STORED_WIDTH, STORED_HEIGHT, image::imageops::FilterType::CatmullRom)
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Rgba};

    use super::*;

    fn picture(width: u32, height: u32) -> DynamicImage {
        let pixel = |x: u32, y: u32| Rgba([(x % 251) as u8, (y % 251) as u8, 99, 255]);
        ImageBuffer::from_fn(width, height, pixel).into()
    }

    fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = if format == ImageFormat::Jpeg { picture.to_rgb8().into() } else { picture.clone() };
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn decoded(logo: &Logo) -> DynamicImage {
        image::load_from_memory_with_format(&STANDARD.decode(&logo.png).unwrap(), ImageFormat::Png).unwrap()
    }

    #[test]
    fn all_formats_become_png_of_the_size_that_is_shown() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let logo = encode_now(&file(&picture(1600, 200), format)).unwrap();
            assert_eq!((logo.width, logo.height), (400, 50), "{format:?}");
            assert_eq!(decoded(&logo).width(), 400);
            assert_eq!(logo.digest.len(), 64);
        }
        let small = encode_now(&file(&picture(40, 30), ImageFormat::Png)).unwrap();
        assert_eq!((small.width, small.height), (40, 30), "nothing is made larger");
    }

    #[test]
    fn nothing_but_pixels_is_left_of_the_file() {
        let mut png = file(&picture(8, 8), ImageFormat::Png);
        // A text chunk behind the header, and a page behind the end.
        let text = b"tEXtComment\0<script>alert(1)</script>";
        let mut chunk = Vec::from(u32::try_from(text.len() - 4).unwrap().to_be_bytes());
        chunk.extend(text);
        chunk.extend(crc(text).to_be_bytes());
        png.splice(33..33, chunk);
        png.extend(b"<script>alert(2)</script>");
        let stored = STANDARD.decode(encode_now(&png).unwrap().png).unwrap();
        assert!(!stored.windows(6).any(|part| part == b"script"));
        assert_eq!(
            stored,
            STANDARD.decode(encode_now(&file(&picture(8, 8), ImageFormat::Png)).unwrap().png).unwrap()
        );
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        })
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        for other in [&svg[..], b"", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", b"\xff", b"BM"] {
            assert_eq!(encode_now(other), Err(LogoError::Format), "{other:?}");
        }
        let whole = file(&picture(64, 64), ImageFormat::Png);
        assert_eq!(encode_now(&whole[..whole.len() / 2]), Err(LogoError::Broken));
        assert_eq!(encode_now(&whole[..8]), Err(LogoError::Broken));
        for end in [b"RIFF\x24\0\0\0WEBPVP8 ".as_slice(), b"\xff\xd8\xff\xe0\0\x10JFIF"] {
            assert!(encode_now(end).is_err());
        }
    }

    /// A header alone says so: the pixels of such a file would take gigabytes, and are not there.
    #[test]
    fn pixels_are_counted_before_they_are_decoded() {
        for (width, height) in [(60_000, 60_000), (4097, 1), (1, 4097), (2001, 2001)] {
            let mut png = file(&picture(1, 1), ImageFormat::Png);
            png[16..20].copy_from_slice(&u32::to_be_bytes(width));
            png[20..24].copy_from_slice(&u32::to_be_bytes(height));
            let check = crc(&png[12..29]).to_be_bytes();
            png[29..33].copy_from_slice(&check);
            assert_eq!(encode_now(&png), Err(LogoError::Pixels), "{width}x{height}");
        }
    }
}
