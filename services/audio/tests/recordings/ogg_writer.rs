//! Ogg pages around packets that another writer's file holds (RFC 3533).

pub const FIRST: u8 = 2;
pub const LAST: u8 = 4;

/// All packets of a file of one stream, headers too.
pub fn packets(file: &[u8]) -> Vec<Vec<u8>> {
    let (mut packets, mut open, mut at) = (Vec::new(), Vec::new(), 0);
    while at < file.len() {
        let lacing = &file[at + 27..][..usize::from(file[at + 26])];
        at += 27 + lacing.len();
        for &len in lacing {
            open.extend(&file[at..at + usize::from(len)]);
            at += usize::from(len);
            if len < 255 {
                packets.push(std::mem::take(&mut open));
            }
        }
    }
    packets
}

/// A page of whole packets that ends at `position`.
pub fn page(serial: u32, sequence: u32, flags: u8, position: u64, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(position.to_le_bytes());
    page.extend(serial.to_le_bytes());
    page.extend(sequence.to_le_bytes());
    page.extend([0; 4]);
    let lacing: Vec<u8> = packets.iter().flat_map(|packet| lacing(packet.len())).collect();
    page.push(u8::try_from(lacing.len()).unwrap());
    page.extend(lacing);
    page.extend(packets.concat());
    let sum = crc(&page);
    page[22..26].copy_from_slice(&sum.to_le_bytes());
    page
}

fn lacing(len: usize) -> impl Iterator<Item = u8> {
    std::iter::repeat_n(255, len / 255).chain([(len % 255) as u8])
}

fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).fold(sum ^ (u32::from(byte) << 24), |sum, _| {
            if sum >> 31 == 0 { sum << 1 } else { (sum << 1) ^ 0x04c1_1db7 }
        })
    })
}
