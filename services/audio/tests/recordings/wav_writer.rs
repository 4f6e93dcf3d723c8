//! WAV files of every kind, written by hand.

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Pcm(u16),
    Float(u16),
    ALaw,
    MuLaw,
    Ima,
    Ms,
}

/// What a writer may get wrong or leave open.
#[derive(Clone, Copy)]
pub struct Header {
    pub kind: Kind,
    pub sample_rate: u32,
    pub channels: u16,
    /// In place of the length of the audio.
    pub data_size: Option<u32>,
    pub extensible: bool,
}

const IMA_BLOCK_FRAMES: usize = 505;
const MS_BLOCK_FRAMES: usize = 500;

pub fn wav(kind: Kind, sample_rate: u32, frames: &[Vec<f64>]) -> Vec<u8> {
    let channels = frames.first().map_or(1, |frame| frame.len() as u16);
    write(Header { kind, sample_rate, channels, data_size: None, extensible: false }, frames)
}

pub fn write(header: Header, frames: &[Vec<f64>]) -> Vec<u8> {
    let data = match header.kind {
        Kind::Ima => ima(frames),
        Kind::Ms => ms(frames),
        _ => frames.iter().flatten().flat_map(|&sample| encode(header.kind, sample)).collect(),
    };
    let mut body = b"WAVE".to_vec();
    chunk(&mut body, b"fmt ", &format(header), None);
    chunk(&mut body, b"LIST", b"INFOISFT\x04\0\0\0test", None);
    if matches!(header.kind, Kind::Ima | Kind::Ms) {
        chunk(&mut body, b"fact", &(frames.len() as u32).to_le_bytes(), None);
    }
    chunk(&mut body, b"data", &data, header.data_size);
    let mut file = Vec::new();
    chunk(&mut file, b"RIFF", &body, None);
    file
}

fn chunk(out: &mut Vec<u8>, name: &[u8; 4], body: &[u8], size: Option<u32>) {
    out.extend(name);
    out.extend(size.unwrap_or(body.len() as u32).to_le_bytes());
    out.extend(body);
    out.resize(out.len() + body.len() % 2, 0);
}

fn format(Header { kind, sample_rate, channels, extensible, .. }: Header) -> Vec<u8> {
    let (tag, bits, block): (u16, u16, u16) = match kind {
        Kind::Pcm(bits) => (1, bits, channels * (bits / 8)),
        Kind::Float(bits) => (3, bits, channels * (bits / 8)),
        Kind::ALaw => (6, 8, channels),
        Kind::MuLaw => (7, 8, channels),
        Kind::Ima => (0x11, 4, channels * (4 + (IMA_BLOCK_FRAMES as u16 - 1) / 2)),
        Kind::Ms => (2, 4, channels * (7 + (MS_BLOCK_FRAMES as u16 - 2) / 2)),
    };
    let mut format = Vec::new();
    format.extend(if extensible { 0xfffe } else { tag }.to_le_bytes());
    format.extend(channels.to_le_bytes());
    format.extend(sample_rate.to_le_bytes());
    format.extend((sample_rate * u32::from(block)).to_le_bytes());
    format.extend(block.to_le_bytes());
    format.extend(bits.to_le_bytes());
    if extensible {
        format.extend(22u16.to_le_bytes());
        format.extend(bits.to_le_bytes());
        format.extend(0u32.to_le_bytes());
        format.extend(tag.to_le_bytes());
        format.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    }
    format
}

fn encode(kind: Kind, sample: f64) -> Vec<u8> {
    let int = |bits: u32| (sample * f64::from((1u32 << (bits - 1)) - 1)).round() as i32;
    match kind {
        Kind::Pcm(8) => vec![(int(8) + 128) as u8],
        Kind::Pcm(bits) => int(u32::from(bits)).to_le_bytes()[..usize::from(bits / 8)].to_vec(),
        Kind::Float(32) => (sample as f32).to_le_bytes().to_vec(),
        Kind::Float(_) => sample.to_le_bytes().to_vec(),
        Kind::ALaw => vec![a_law(int(16))],
        Kind::MuLaw => vec![mu_law(int(16))],
        Kind::Ima | Kind::Ms => unreachable!("written in blocks"),
    }
}

/// ITU-T G.711, 16-bit in.
fn mu_law(sample: i32) -> u8 {
    let magnitude = (sample.abs() + 132).min(32_767);
    let exponent = (31 - magnitude.leading_zeros() as i32 - 7).max(0);
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) as u8
}

/// ITU-T G.711, 16-bit in.
fn a_law(sample: i32) -> u8 {
    let magnitude = sample.abs().min(32_767) >> 4;
    let exponent = if magnitude < 16 { 0 } else { 31 - magnitude.leading_zeros() as i32 - 3 };
    let mantissa = if exponent == 0 { magnitude } else { magnitude >> (exponent - 1) } & 0x0f;
    let sign = if sample < 0 { 0 } else { 0x80 };
    ((sign | (exponent << 4) | mantissa) ^ 0x55) as u8
}

const IMA_STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88,
    97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658,
    724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660,
    4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818,
    18500, 20350, 22385, 24623, 27086, 29794, 32767,
];
const IMA_INDEX: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

fn sample_at(frames: &[Vec<f64>], frame: usize, channel: usize) -> i32 {
    frames.get(frame).map_or(0, |samples| (samples[channel] * 32_767.0).round() as i32)
}

/// Blocks of a preamble a channel and then groups of eight nibbles a channel (IMA, 1992, Microsoft's layout).
fn ima(frames: &[Vec<f64>]) -> Vec<u8> {
    let channels = frames[0].len();
    let mut out = Vec::new();
    let mut index = vec![40i32; channels];
    for block in (0..frames.len()).step_by(IMA_BLOCK_FRAMES) {
        let mut predicted: Vec<i32> = (0..channels).map(|c| sample_at(frames, block, c)).collect();
        for channel in 0..channels {
            out.extend((predicted[channel] as i16).to_le_bytes());
            out.extend([index[channel] as u8, 0]);
        }
        for group in (1..IMA_BLOCK_FRAMES).step_by(8) {
            for channel in 0..channels {
                for pair in 0..4 {
                    let mut nibble = |offset| {
                        let target = sample_at(frames, block + group + offset, channel);
                        ima_nibble(target, &mut predicted[channel], &mut index[channel])
                    };
                    let low = nibble(2 * pair);
                    out.push(low | nibble(2 * pair + 1) << 4);
                }
            }
        }
    }
    out
}

fn ima_nibble(target: i32, predicted: &mut i32, index: &mut i32) -> u8 {
    let step = IMA_STEPS[*index as usize];
    let difference = target - *predicted;
    let code = (difference.abs() * 4 / step).min(7);
    let delta = (2 * code + 1) * step / 8;
    *predicted = (*predicted + if difference < 0 { -delta } else { delta }).clamp(-32_768, 32_767);
    *index = (*index + IMA_INDEX[code as usize]).clamp(0, 88);
    (code | if difference < 0 { 8 } else { 0 }) as u8
}

const MS_ADAPT: [i32; 16] = [230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230];

/// Microsoft's ADPCM with predictor 1 (twice the last sample less the one before).
fn ms(frames: &[Vec<f64>]) -> Vec<u8> {
    let channels = frames[0].len();
    let mut out = Vec::new();
    for block in (0..frames.len()).step_by(MS_BLOCK_FRAMES) {
        let mut past: Vec<[i32; 2]> =
            (0..channels).map(|c| [sample_at(frames, block, c), sample_at(frames, block + 1, c)]).collect();
        let mut delta = vec![1024i32; channels];
        out.extend(vec![1u8; channels]);
        delta.iter().for_each(|&d| out.extend((d as i16).to_le_bytes()));
        past.iter().for_each(|p| out.extend((p[1] as i16).to_le_bytes()));
        past.iter().for_each(|p| out.extend((p[0] as i16).to_le_bytes()));
        let mut nibbles = Vec::new();
        for frame in 2..MS_BLOCK_FRAMES {
            for channel in 0..channels {
                let [before, last] = past[channel];
                let predicted = (last * 512 - before * 256) / 256;
                let target = sample_at(frames, block + frame, channel);
                let code = (f64::from(target - predicted) / f64::from(delta[channel]))
                    .round()
                    .clamp(-8.0, 7.0) as i32;
                let sample = (predicted + code * delta[channel]).clamp(-32_768, 32_767);
                past[channel] = [last, sample];
                delta[channel] = (MS_ADAPT[(code & 15) as usize] * delta[channel] / 256).max(16);
                nibbles.push((code & 15) as u8);
            }
        }
        out.extend(nibbles.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
    }
    out
}
