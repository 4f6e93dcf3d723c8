//! When each token was spoken, from what the decoder listened to while it chose it: OpenAI's `timing.py`.

/// Attention is smoothed over so many positions, 140 ms.
const MEDIAN: usize = 7;
/// A token that listens the same everywhere has no spread to divide by.
const LEAST_SPREAD: f32 = 1e-9;
/// The first token begins this much before where it listens most, 0.2 s.
const BEFORE_PEAK: usize = 10;

/// The position at which each token begins. `attention` holds for each token [heads, positions].
pub(super) fn starts(attention: &[Vec<f32>], heads: usize, positions: usize) -> Vec<usize> {
    let tokens = attention.len();
    if tokens == 0 || positions == 0 {
        return vec![0; tokens];
    }
    let mut mean = vec![0.0f32; tokens * positions];
    for head in 0..heads {
        let mut normed = vec![0.0f32; tokens * positions];
        for at in 0..positions {
            let heard = |token: usize| attention[token][head * positions + at];
            let average = (0..tokens).map(heard).sum::<f32>() / tokens as f32;
            let spread =
                ((0..tokens).map(|t| (heard(t) - average).powi(2)).sum::<f32>() / tokens as f32).sqrt();
            for token in 0..tokens {
                normed[token * positions + at] = (heard(token) - average) / spread.max(LEAST_SPREAD);
            }
        }
        for (mean, normed) in mean.chunks_mut(positions).zip(normed.chunks(positions)) {
            smooth(normed, mean);
        }
    }
    let mut starts = path(&mean, tokens, positions);
    // The way begins at the first position, even where nothing is said for a while.
    let own = starts.get(1).copied().unwrap_or(positions).max(1);
    starts[0] = first_peak(&mean[..own]).saturating_sub(BEFORE_PEAK);
    starts
}

/// The first place of the largest value.
fn first_peak(values: &[f32]) -> usize {
    let higher = |best: usize, at: usize| if values[at].total_cmp(&values[best]).is_gt() { at } else { best };
    (0..values.len()).reduce(higher).unwrap_or(0)
}

/// Adds the running median, mirrored at both ends.
fn smooth(row: &[f32], into: &mut [f32]) {
    let half = MEDIAN as isize / 2;
    let last = row.len() as isize - 1;
    for (at, into) in into.iter_mut().enumerate() {
        let mut window = [0.0f32; MEDIAN];
        for (i, value) in window.iter_mut().enumerate() {
            let place = (at as isize + i as isize - half).abs();
            let place = if place > last { (2 * last - place).max(0) } else { place };
            *value = row[place as usize];
        }
        window.sort_unstable_by(f32::total_cmp);
        *into += window[MEDIAN / 2];
    }
}

/// Dynamic time warping: the way from the first token at the first position to the last at the last, through
/// the most attention; where it first meets each token.
fn path(attention: &[f32], tokens: usize, positions: usize) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum From {
        Both,
        Token,
        Position,
    }
    let mut came = vec![From::Both; tokens * positions];
    let mut above = vec![f32::INFINITY; positions + 1];
    above[0] = 0.0;
    for token in 0..tokens {
        let mut row = vec![f32::INFINITY; positions + 1];
        for at in 0..positions {
            let (both, by_token, by_position) = (above[at], above[at + 1], row[at]);
            let (cost, from) = if both < by_token && both < by_position {
                (both, From::Both)
            } else if by_token < both && by_token < by_position {
                (by_token, From::Token)
            } else {
                (by_position, From::Position)
            };
            row[at + 1] = cost - attention[token * positions + at];
            came[token * positions + at] = from;
        }
        above = row;
    }
    let mut starts = vec![0; tokens];
    let (mut token, mut at) = (tokens - 1, positions - 1);
    loop {
        starts[token] = at;
        match came[token * positions + at] {
            _ if token == 0 && at == 0 => return starts,
            From::Both if token > 0 && at > 0 => (token, at) = (token - 1, at - 1),
            From::Token if token > 0 => token -= 1,
            _ if at > 0 => at -= 1,
            _ => token -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens that listen to these positions, out of 100, in two heads.
    #[track_caller]
    fn check(listened: &[std::ops::Range<usize>], expect: &[usize]) {
        let one = |range: &std::ops::Range<usize>| {
            let row = |i: usize| if range.contains(&(i % 100)) { 0.9 } else { 0.001 };
            (0..200).map(row).collect::<Vec<f32>>()
        };
        let attention: Vec<Vec<f32>> = listened.iter().map(one).collect();
        assert_eq!(starts(&attention, 2, 100), expect);
    }

    #[test]
    fn tokens_begin_where_they_listen() {
        check(&[0..20, 20..60, 60..100], &[0, 20, 60]);
    }

    #[test]
    fn the_first_token_begins_where_something_is_said() {
        check(&[50..60, 60..100], &[50 - BEFORE_PEAK, 60]);
        let lone: Vec<f32> = (0..100).map(|at| if (30..50).contains(&at) { 0.9 } else { 0.001 }).collect();
        assert_eq!(starts(&[lone], 1, 100), [0], "one token alone has nothing to be held against");
    }

    #[test]
    fn nothing_has_no_places() {
        check(&[], &[]);
        assert_eq!(starts(&[vec![]], 1, 0), [0]);
    }

    #[test]
    fn times_never_go_back() {
        let mut seed = 7u32;
        let attention: Vec<Vec<f32>> = (0..12)
            .map(|_| {
                (0..80)
                    .map(|_| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (seed >> 8) as f32 / 16_777_216.0
                    })
                    .collect()
            })
            .collect();
        let starts = starts(&attention, 1, 80);
        assert!(starts.is_sorted(), "{starts:?}");
    }
}
