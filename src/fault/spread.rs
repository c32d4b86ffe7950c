//! Waits that are drawn: normal and lognormal, in whole numbers.
//!
//! A machine's own logarithms and roots differ in their last digit from those of another, and one digit is another
//! decision. So a draw is one word of a stream, looked up in tables that stand here and cannot change.

use crate::seed::Stream;

/// A drawn deviation from the middle in units of the standard deviation, times 65,536. One word a draw.
///
/// The first bit is the side, the others are how much of the side's half lies further out. It is found by its highest
/// bit (each row of the table is half as likely as the one before) and the sixteenth in which it lies, in a straight line
/// between two entries. What is rarer than the last row, one draw in thirty million, counts as its end.
pub(super) fn deviation(stream: &mut Stream) -> i64 {
    let word = stream.word();
    // From 1 to 2^63: of 2^63 the half that lies further out.
    let outside = (word & (u64::MAX >> 1)) + 1;
    let halvings = outside.leading_zeros();
    let position = outside.checked_shl(halvings + 1).unwrap_or(0);
    let (at, between) = ((position >> 60) as usize, i64::from((position >> 28) as u32));
    let row = HALF_NORMAL.get((halvings as usize).saturating_sub(1));
    let far = match (row, halvings) {
        (_, 0) => 0,
        (Some(row), _) => match (row.get(at), row.get(at + 1)) {
            (Some(from), Some(to)) => {
                let (from, to) = (i64::from(*from), i64::from(*to));
                from + (((to - from) * between) >> 32)
            }
            _ => 0,
        },
        (None, _) => FARTHEST,
    };
    if word >> 63 == 0 { far } else { -far }
}

/// `middle` and so many times `deviation`, to the nearest whole number and never below 0.
pub(super) fn around(middle: u32, standard: u32, deviation: i64) -> u64 {
    let scaled = (deviation * i64::from(standard) + (1 << 15)) >> 16;
    u64::try_from(i64::from(middle) + scaled).unwrap_or(0)
}

/// `median` times e to the power of so many thousandths of `deviation`, to the nearest whole number.
pub(super) fn skewed(median: u32, thousandths: u32, deviation: i64) -> u64 {
    // In bits after the binary point: 16 of the deviation and 32 of the constant, of which 32 stay.
    let exponent = (i128::from(deviation) * i128::from(thousandths) * LOG2_OF_E / 1000) >> 16;
    let part = (exponent & 0xffff_ffff) as u64;
    let (at, between) = ((part >> 27) as usize, u128::from(part & 0x07ff_ffff));
    let (Some(from), Some(to)) = (POWERS.get(at), POWERS.get(at + 1)) else { return u64::from(median) };
    let power = u128::from(*from) + ((u128::from(to - from) * between) >> 27);
    let product = power * u128::from(median);
    // 32 bits of it stand behind the point.
    let shift = 32 - i64::try_from(exponent >> 32).unwrap_or(0);
    let rounded = match u32::try_from(shift) {
        Ok(0) => product,
        Ok(bits) => product.checked_shr(bits - 1).unwrap_or(0).div_ceil(2),
        Err(_) if shift < -ROOM => u128::MAX,
        Err(_) => product << -shift,
    };
    u64::try_from(rounded).unwrap_or(u64::MAX)
}

/// How many bits a product of 33 and 32 bits may still be moved up.
const ROOM: i64 = 60;

/// The deviation beyond which the table knows no more.
const FARTHEST: i64 = 355_204;

/// The logarithm of e to the base of 2, times 2^32.
const LOG2_OF_E: i128 = 6_196_328_019;

/// Where the standard normal distribution leaves (1 + column/16) / 2^(row + 2) outside on one side, times 65,536.
#[rustfmt::skip]
const HALF_NORMAL: [[i32; 17]; 24] = [
    [44_203, 41_032, 37_954, 34_958, 32_032, 29_170, 26_362, 23_601, 20_882, 18_199, 15_545, 12_917, 10_310, 7718, 5139, 2567, 0],
    [75_389, 72_954, 70_616, 68_364, 66_191, 64_087, 62_048, 60_067, 58_140, 56_262, 54_428, 52_637, 50_884, 49_166, 47_482, 45_828, 44_203],
    [100_540, 98_507, 96_565, 94_704, 92_917, 91_196, 89_536, 87_931, 86_377, 84_871, 83_408, 81_985, 80_600, 79_250, 77_933, 76_647, 75_389],
    [122_076, 120_303, 118_613, 116_999, 115_453, 113_968, 112_540, 111_164, 109_834, 108_549, 107_304, 106_096, 104_924, 103_784, 102_675, 101_594, 100_540],
    [141_156, 139_567, 138_055, 136_614, 135_235, 133_914, 132_646, 131_425, 130_248, 129_112, 128_013, 126_949, 125_918, 124_916, 123_944, 122_997, 122_076],
    [158_437, 156_986, 155_608, 154_295, 153_042, 151_842, 150_691, 149_585, 148_519, 147_492, 146_500, 145_540, 144_610, 143_709, 142_834, 141_983, 141_156],
    [174_330, 172_988, 171_714, 170_502, 169_346, 168_241, 167_181, 166_163, 165_184, 164_240, 163_329, 162_449, 161_597, 160_771, 159_970, 159_193, 158_437],
    [189_113, 187_859, 186_670, 185_540, 184_462, 183_432, 182_445, 181_498, 180_588, 179_711, 178_865, 178_048, 177_257, 176_492, 175_750, 175_030, 174_330],
    [202_983, 201_802, 200_683, 199_620, 198_608, 197_640, 196_714, 195_825, 194_971, 194_149, 193_356, 192_591, 191_851, 191_135, 190_440, 189_767, 189_113],
    [216_085, 214_967, 213_907, 212_901, 211_943, 211_028, 210_153, 209_313, 208_507, 207_731, 206_982, 206_260, 205_563, 204_887, 204_233, 203_599, 202_983],
    [228_531, 227_466, 226_458, 225_501, 224_590, 223_720, 222_888, 222_091, 221_325, 220_588, 219_878, 219_193, 218_531, 217_890, 217_270, 216_669, 216_085],
    [240_408, 239_390, 238_426, 237_512, 236_642, 235_811, 235_017, 234_256, 233_525, 232_822, 232_145, 231_492, 230_861, 230_250, 229_660, 229_087, 228_531],
    [251_785, 250_808, 249_884, 249_007, 248_173, 247_377, 246_616, 245_887, 245_187, 244_514, 243_865, 243_240, 242_636, 242_052, 241_487, 240_939, 240_408],
    [262_719, 261_779, 260_890, 260_047, 259_244, 258_479, 257_747, 257_046, 256_374, 255_727, 255_104, 254_504, 253_924, 253_363, 252_821, 252_295, 251_785],
    [273_257, 272_350, 271_492, 270_679, 269_905, 269_167, 268_462, 267_786, 267_138, 266_515, 265_915, 265_337, 264_779, 264_239, 263_716, 263_210, 262_719],
    [283_438, 282_561, 281_732, 280_945, 280_197, 279_484, 278_803, 278_150, 277_524, 276_922, 276_343, 275_784, 275_245, 274_724, 274_219, 273_731, 273_257],
    [293_295, 292_445, 291_642, 290_880, 290_155, 289_465, 288_805, 288_173, 287_567, 286_984, 286_423, 285_883, 285_361, 284_857, 284_369, 283_896, 283_438],
    [302_857, 302_032, 301_252, 300_512, 299_809, 299_139, 298_499, 297_886, 297_298, 296_733, 296_189, 295_665, 295_159, 294_670, 294_197, 293_739, 293_295],
    [312_148, 311_346, 310_587, 309_869, 309_185, 308_534, 307_912, 307_316, 306_745, 306_196, 305_668, 305_159, 304_667, 304_192, 303_733, 303_288, 302_857],
    [321_190, 320_408, 319_670, 318_970, 318_305, 317_671, 317_065, 316_486, 315_930, 315_396, 314_882, 314_387, 313_909, 313_447, 313_000, 312_567, 312_148],
    [330_000, 329_239, 328_519, 327_837, 327_188, 326_570, 325_980, 325_415, 324_873, 324_353, 323_852, 323_370, 322_904, 322_455, 322_019, 321_598, 321_190],
    [338_597, 337_853, 337_151, 336_485, 335_852, 335_249, 334_673, 334_122, 333_593, 333_086, 332_597, 332_127, 331_673, 331_234, 330_810, 330_399, 330_000],
    [346_994, 346_267, 345_580, 344_930, 344_312, 343_722, 343_160, 342_622, 342_105, 341_610, 341_133, 340_673, 340_230, 339_801, 339_387, 338_986, 338_597],
    [355_204, 354_493, 353_822, 353_185, 352_581, 352_004, 351_454, 350_928, 350_423, 349_939, 349_472, 349_023, 348_590, 348_171, 347_766, 347_374, 346_994],
];

/// 2 to the power of so many thirty-seconds, times 2^32.
const POWERS: [u64; 33] = [
    4_294_967_296,
    4_389_014_833,
    4_485_121_744,
    4_583_333_121,
    4_683_695_048,
    4_786_254_615,
    4_891_059_943,
    4_998_160_210,
    5_107_605_667,
    5_219_447_668,
    5_333_738_689,
    5_450_532_358,
    5_569_883_475,
    5_691_848_042,
    5_816_483_285,
    5_943_847_684,
    6_074_001_000,
    6_207_004_303,
    6_342_919_999,
    6_481_811_861,
    6_623_745_059,
    6_768_786_189,
    6_917_003_306,
    7_068_465_956,
    7_223_245_206,
    7_381_413_680,
    7_543_045_592,
    7_708_216_783,
    7_877_004_752,
    8_049_488_696,
    8_225_749_546,
    8_405_870_007,
    8_589_934_592,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn the_same_seed_gives_the_pinned_draws() {
        let mut stream = Seed(1).stream(&["spread"]);
        let draws: Vec<i64> = (0..8).map(|_| deviation(&mut stream)).collect();
        assert_eq!(draws, GOLDEN);
        assert_eq!(draws.iter().map(|z| around(1000, 200, *z)).collect::<Vec<_>>(), GOLDEN_AROUND);
        assert_eq!(draws.iter().map(|z| skewed(1000, 400, *z)).collect::<Vec<_>>(), GOLDEN_SKEWED);
    }

    const GOLDEN: [i64; 8] = [-43_288, 13_764, -54_726, 32_130, 51_035, 68_301, -70_263, 28_198];
    const GOLDEN_AROUND: [u64; 8] = [868, 1042, 833, 1098, 1156, 1208, 786, 1086];
    const GOLDEN_SKEWED: [u64; 8] = [768, 1088, 716, 1217, 1366, 1517, 651, 1188];

    #[test]
    fn the_tables_join_and_only_rise() {
        for (row, next) in HALF_NORMAL.iter().zip(HALF_NORMAL.iter().skip(1)) {
            assert_eq!(row[0], next[16]);
            assert!(row.windows(2).all(|two| two[0] > two[1]));
        }
        assert_eq!(HALF_NORMAL[0][16], 0);
        assert_eq!(i64::from(HALF_NORMAL[23][0]), FARTHEST);
        assert!(POWERS.windows(2).all(|two| two[0] < two[1]));
        assert_eq!((POWERS[0], POWERS[32]), (1 << 32, 1 << 33));
    }

    #[test]
    fn an_exponent_is_exact_where_it_is_known() {
        let one = 1 << 16;
        assert_eq!(skewed(1_000_000, 1000, 0), 1_000_000);
        // e, its square and their inverses.
        assert!(skewed(1_000_000, 1000, one).abs_diff(2_718_282) < 150);
        assert!(skewed(1_000_000, 2000, one).abs_diff(7_389_056) < 400);
        assert!(skewed(1_000_000, 1000, -one).abs_diff(367_879) < 25);
        assert!(skewed(1_000_000, 2000, -one).abs_diff(135_335) < 10);
        assert_eq!(skewed(0, 3000, FARTHEST), 0);
        assert!(skewed(u32::MAX, 3000, FARTHEST) > u64::from(u32::MAX));
        assert_eq!(skewed(u32::MAX, u32::MAX, FARTHEST), u64::MAX);
        assert_eq!(skewed(u32::MAX, u32::MAX, -FARTHEST), 0);
    }

    /// Quantiles of 100,000 draws, sorted.
    fn drawn(draw: impl Fn(i64) -> u64) -> Vec<u64> {
        let mut stream = Seed(3).stream(&["quantiles"]);
        let mut all: Vec<u64> = (0..100_000).map(|_| draw(deviation(&mut stream))).collect();
        all.sort_unstable();
        all
    }

    /// Of the standard normal distribution, as tables print them: the share below, and the deviation.
    const PUBLISHED: [(usize, f64); 11] = [
        (100, -3.0902),
        (1_000, -2.3263),
        (2_500, -1.9600),
        (10_000, -1.2816),
        (25_000, -0.6745),
        (50_000, 0.0),
        (75_000, 0.6745),
        (90_000, 1.2816),
        (97_500, 1.9600),
        (99_000, 2.3263),
        (99_900, 3.0902),
    ];

    /// Four standard errors of a quantile of 100,000 draws.
    fn slack(share: usize, deviation: f64) -> f64 {
        let share = share as f64 / 100_000.0;
        let density = (-deviation * deviation / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        4.0 * (share * (1.0 - share) / 100_000.0).sqrt() / density
    }

    #[test]
    fn normal_draws_have_the_published_quantiles() {
        let all = drawn(|z| around(500_000, 100_000, z));
        for (share, z) in PUBLISHED {
            let found = (all[share] as f64 - 500_000.0) / 100_000.0;
            assert!((found - z).abs() < slack(share, z) + 0.001, "{share}: {found} for {z}");
        }
    }

    #[test]
    fn lognormal_draws_have_the_published_quantiles() {
        for sigma in [100, 400, 1500] {
            let all = drawn(|z| skewed(1_000_000, sigma, z));
            for (share, z) in PUBLISHED {
                let found = (all[share] as f64 / 1_000_000.0).ln() / (f64::from(sigma) / 1000.0);
                assert!((found - z).abs() < slack(share, z) + 0.002, "{sigma}, {share}: {found} for {z}");
            }
        }
    }

    #[test]
    fn what_falls_below_nothing_is_nothing() {
        assert_eq!(around(10, 100, -(1 << 16)), 0);
        assert_eq!(around(10, 0, 1 << 16), 10);
    }
}
