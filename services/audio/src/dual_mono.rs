//! Whether two channels carry one signal: a mono call stored as stereo.

use crate::level::{ACTIVE_POWER, FRAME_SAMPLES};

/// Two frames are alike if their correlation is at least this: then what differs is at least 10 dB below
/// what they share, as with µ-law at different gains or a lossy codec at a low bit rate.
const FRAME_CORRELATION: f64 = 0.95;
/// Share of active frames that must be alike. Two people rarely leave more than a few per cent of the time
/// to one of them; a codec's attacks spoil a frame here and there.
const ALIKE_SHARE: f64 = 0.95;
/// Correlation over all active frames together, where the gain between the channels must hold throughout.
const TOTAL_CORRELATION: f64 = 0.97;
/// Beyond this gain the quieter channel is crosstalk on an otherwise silent side, not the call.
const MAX_GAIN_DB: f64 = 12.0;
/// Active frames needed before anything is said: one second.
const MIN_ACTIVE_FRAMES: u64 = 50;

/// Evidence on whether both channels of a stereo recording carry the same signal.
///
/// Judged on 20 ms frames at 16 kHz in which the louder channel exceeds −50 dBFS, each without its mean (a
/// constant offset of the line is no sound). The recording is dual mono if there is at least one second of
/// such frames, at least 95 % of them correlate by 0.95 or more (either polarity), all of them together
/// correlate by 0.97 or more, and one channel is at most 12 dB louder than the other. A constant gain and
/// codec noise are allowed; a delay between the channels is not. A stereo call with one silent side is not
/// dual mono.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DualMono {
    active: u64,
    alike: u64,
    left: f64,
    right: f64,
    cross: f64,
}

impl DualMono {
    /// The judgement on what was heard so far.
    #[must_use]
    pub fn is_dual_mono(&self) -> bool {
        self.active >= MIN_ACTIVE_FRAMES
            && self.alike_share() >= ALIKE_SHARE
            && self.correlation().abs() >= TOTAL_CORRELATION
            && self.gain_db().is_some_and(|gain| gain.abs() <= MAX_GAIN_DB)
    }

    /// Share (0 to 1) of active frames in which both channels are alike.
    #[must_use]
    pub fn alike_share(&self) -> f64 {
        if self.active == 0 { 0.0 } else { self.alike as f64 / self.active as f64 }
    }

    /// Correlation (−1 to 1) of the channels over all active frames.
    #[must_use]
    pub fn correlation(&self) -> f64 {
        correlation(self.left, self.right, self.cross)
    }

    /// Decibels by which the second channel is louder than the first; `None` where one of them is silent.
    #[must_use]
    pub fn gain_db(&self) -> Option<f64> {
        (self.left > 0.0 && self.right > 0.0).then(|| 10.0 * (self.right / self.left).log10())
    }

    pub(crate) fn push(&mut self, left: &[f32], right: &[f32]) {
        for (left, right) in left.chunks(FRAME_SAMPLES).zip(right.chunks(FRAME_SAMPLES)) {
            let (left, right) = ((left, mean(left)), (right, mean(right)));
            let (a, b) = (dot(left, left), dot(right, right));
            if a.max(b) <= ACTIVE_POWER * left.0.len() as f64 {
                continue;
            }
            let cross = dot(left, right);
            self.active += 1;
            self.alike += u64::from(correlation(a, b, cross).abs() >= FRAME_CORRELATION);
            self.left += a;
            self.right += b;
            self.cross += cross;
        }
    }
}

fn mean(samples: &[f32]) -> f64 {
    samples.iter().copied().map(f64::from).sum::<f64>() / samples.len() as f64
}

/// Of two frames, each with the mean to take off.
fn dot((left, left_mean): (&[f32], f64), (right, right_mean): (&[f32], f64)) -> f64 {
    left.iter().zip(right).map(|(&a, &b)| (f64::from(a) - left_mean) * (f64::from(b) - right_mean)).sum()
}

fn correlation(left: f64, right: f64, cross: f64) -> f64 {
    if left > 0.0 && right > 0.0 { cross / (left * right).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two seconds of a tone that two people would share by turns: `turns` of 200 ms.
    fn tone(hertz: f32, speaks: impl Fn(usize) -> bool) -> Vec<f32> {
        (0..32_000)
            .map(|i| {
                let on = speaks(i / 3200);
                if on { 0.3 * (i as f32 * hertz * std::f32::consts::TAU / 16_000.0).sin() } else { 0.0 }
            })
            .collect()
    }

    #[track_caller]
    fn check(left: &[f32], right: &[f32], expect: bool) {
        let mut evidence = DualMono::default();
        evidence.push(left, right);
        assert_eq!(evidence.is_dual_mono(), expect, "{evidence:?}");
    }

    fn scaled(samples: &[f32], gain: f32) -> Vec<f32> {
        samples.iter().map(|s| s * gain).collect()
    }

    #[test]
    fn the_same_track_twice() {
        let call = tone(300.0, |_| true);
        check(&call, &call, true);
    }

    #[test]
    fn a_constant_gain_or_polarity_is_the_same_track() {
        let call = tone(300.0, |_| true);
        check(&call, &scaled(&call, 0.5), true);
        check(&call, &scaled(&call, -1.0), true);
    }

    #[test]
    fn codec_noise_is_allowed() {
        let call = tone(300.0, |_| true);
        let noisy: Vec<f32> = call.iter().map(|s| (s * 64.0).round() / 64.0).collect();
        check(&call, &noisy, true);
    }

    fn offset(samples: &[f32]) -> Vec<f32> {
        samples.iter().map(|s| s + 0.005).collect()
    }

    #[test]
    fn an_offset_of_the_line_is_no_sound() {
        let call = tone(300.0, |turn| turn % 4 != 3);
        check(&call, &offset(&call), true);
        check(&call, &offset(&tone(440.0, |turn| turn % 4 == 3)), false);
        let nothing = offset(&tone(300.0, |_| false));
        check(&nothing, &nothing, false);
    }

    #[test]
    fn two_people_are_two() {
        check(&tone(300.0, |turn| turn % 2 == 0), &tone(440.0, |turn| turn % 2 == 1), false);
    }

    #[test]
    fn crosstalk_of_two_people_is_not_one_track() {
        let (agent, customer) = (tone(300.0, |turn| turn % 2 == 0), tone(440.0, |turn| turn % 2 == 1));
        let mix = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a + 0.5 * b).collect::<Vec<_>>();
        check(&mix(&agent, &customer), &mix(&customer, &agent), false);
    }

    #[test]
    fn one_silent_side_is_not_dual_mono() {
        let call = tone(300.0, |_| true);
        check(&call, &scaled(&call, 0.0), false);
        check(&call, &scaled(&call, 0.01), false);
    }

    #[test]
    fn silence_proves_nothing() {
        let nothing = tone(300.0, |_| false);
        check(&nothing, &nothing, false);
    }
}
