//! FLAC of silence, small enough to be long: 65 535 samples take 14 bytes (RFC 9639).

const FRAME_SAMPLES: u64 = 65_535;

/// `frames` frames of 65 535 samples of mono silence at 8 kHz, with `promised` samples in the header.
pub fn silence(frames: u64, promised: u64) -> Vec<u8> {
    let mut file = b"fLaC\x80\0\0\x22".to_vec();
    file.extend([0xff; 4]);
    file.extend([0; 6]);
    let (rate, channels, bits) = (8_000u64, 1u64, 16u64);
    file.extend((rate << 44 | (channels - 1) << 41 | (bits - 1) << 36 | promised).to_be_bytes());
    file.extend([0; 16]);
    for number in 0..frames {
        // Fixed block size, given in 16 bits at the end of the header; 8 kHz; mono; 16 bits.
        let mut frame = vec![0xff, 0xf8, 0x74, 0x08];
        frame.extend(coded_number(number));
        frame.extend((FRAME_SAMPLES as u16 - 1).to_be_bytes());
        frame.push(crc(&frame, 8, 0x07) as u8);
        // One constant subframe: 0.
        frame.extend([0, 0, 0]);
        let check = crc(&frame, 16, 0x8005);
        frame.extend(check.to_be_bytes());
        file.extend(frame);
    }
    file
}

pub const fn hours(hours: u64) -> u64 {
    (hours * 3600 * 8_000).div_ceil(FRAME_SAMPLES)
}

/// UTF-8 without its limits.
fn coded_number(number: u64) -> Vec<u8> {
    match number {
        0..0x80 => vec![number as u8],
        0x80..0x800 => vec![0xc0 | (number >> 6) as u8, 0x80 | (number & 0x3f) as u8],
        _ => {
            let low = [number >> 6 & 0x3f, number & 0x3f].map(|six| 0x80 | six as u8);
            vec![0xe0 | (number >> 12) as u8, low[0], low[1]]
        }
    }
}

fn crc(bytes: &[u8], width: u32, polynomial: u32) -> u16 {
    let top = 1u32 << (width - 1);
    let sum = bytes.iter().fold(0u32, |sum, &byte| {
        (0..8).fold(sum ^ (u32::from(byte) << (width - 8)), |sum, _| {
            if sum & top == 0 { sum << 1 } else { (sum << 1) ^ polynomial }
        }) & (2 * top - 1)
    });
    sum as u16
}
