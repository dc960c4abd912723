//! What a compiler would arrange otherwise: its instruction, or its place, is the point.

use core::arch::asm;
use core::arch::x86_64::__m512i;

/// a / 2^N.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn shifted_right<const N: i32>(a: __m512i) -> __m512i {
    let shifted;
    // SAFETY: the instruction touches no memory.
    unsafe {
        asm!(
            "vpsrlq {}, {}, {n}",
            out(zmm_reg) shifted,
            in(zmm_reg) a,
            n = const N,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    shifted
}

/// As `Lanes::row_low`. In assembly, because the order is what it is for.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(super) fn row_low(
    t: &mut [[__m512i; 6]; 2],
    x: [__m512i; 2],
    y: [&[__m512i; 5]; 2],
    minus_inverse: __m512i,
) -> [__m512i; 2] {
    let [[a0, a1, a2, a3, a4, _], [b0, b1, b2, b3, b4, _]] = t;
    let mut m = [minus_inverse; 2];
    // SAFETY: it reads five registers' width from both references.
    unsafe {
        asm!(
            "vpmadd52luq {a0}, {x0}, [{y0}]",
            "vpmadd52luq {b0}, {x1}, [{y1}]",
            "vpmadd52luq {a1}, {x0}, [{y0} + 64]",
            "vpmadd52luq {b1}, {x1}, [{y1} + 64]",
            "vpmadd52luq {a2}, {x0}, [{y0} + 128]",
            "vpmadd52luq {b2}, {x1}, [{y1} + 128]",
            "vpmadd52luq {a3}, {x0}, [{y0} + 192]",
            "vpmadd52luq {b3}, {x1}, [{y1} + 192]",
            "vpmadd52luq {m0}, {a0}, {inverse}",
            "vpmadd52luq {m1}, {b0}, {inverse}",
            "vpmadd52luq {a4}, {x0}, [{y0} + 256]",
            "vpmadd52luq {b4}, {x1}, [{y1} + 256]",
            a0 = inout(zmm_reg) *a0,
            a1 = inout(zmm_reg) *a1,
            a2 = inout(zmm_reg) *a2,
            a3 = inout(zmm_reg) *a3,
            a4 = inout(zmm_reg) *a4,
            b0 = inout(zmm_reg) *b0,
            b1 = inout(zmm_reg) *b1,
            b2 = inout(zmm_reg) *b2,
            b3 = inout(zmm_reg) *b3,
            b4 = inout(zmm_reg) *b4,
            m0 = inout(zmm_reg) m[0],
            m1 = inout(zmm_reg) m[1],
            x0 = in(zmm_reg) x[0],
            x1 = in(zmm_reg) x[1],
            inverse = in(zmm_reg) minus_inverse,
            y0 = in(reg) y[0],
            y1 = in(reg) y[1],
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    m
}

/// As `Lanes::row_high`, in assembly, too.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(super) fn row_high(
    t: &mut [[__m512i; 6]; 2],
    x: [__m512i; 2],
    y: [&[__m512i; 5]; 2],
    m: [__m512i; 2],
    p: &[__m512i; 5],
) {
    let [
        [mut a0, mut a1, mut a2, mut a3, mut a4, mut a5],
        [mut b0, mut b1, mut b2, mut b3, mut b4, mut b5],
    ] = *t;
    // SAFETY: it reads five registers' width from both references.
    unsafe {
        asm!(
            "vpsrlq {a0}, {a0}, 52",
            "vpsrlq {b0}, {b0}, 52",
            "vpmadd52huq {a1}, {x0}, [{y0}]",
            "vpmadd52huq {b1}, {x1}, [{y1}]",
            "vpmadd52huq {a2}, {x0}, [{y0} + 64]",
            "vpmadd52huq {b2}, {x1}, [{y1} + 64]",
            "vpmadd52huq {a0}, {m0}, {p0}",
            "vpmadd52huq {b0}, {m1}, {p0}",
            "vpmadd52luq {a1}, {m0}, {p1}",
            "vpmadd52luq {b1}, {m1}, {p1}",
            "vpmadd52huq {a3}, {x0}, [{y0} + 128]",
            "vpmadd52huq {b3}, {x1}, [{y1} + 128]",
            "vpmadd52luq {a2}, {m0}, {p2}",
            "vpmadd52luq {b2}, {m1}, {p2}",
            "vpmadd52huq {a4}, {x0}, [{y0} + 192]",
            "vpmadd52huq {b4}, {x1}, [{y1} + 192]",
            "vpaddq {a0}, {a0}, {a1}",
            "vpaddq {b0}, {b0}, {b1}",
            "vpmadd52luq {a3}, {m0}, {p3}",
            "vpmadd52luq {b3}, {m1}, {p3}",
            "vpmadd52huq {a5}, {x0}, [{y0} + 256]",
            "vpmadd52huq {b5}, {x1}, [{y1} + 256]",
            "vpmadd52huq {a2}, {m0}, {p1}",
            "vpmadd52huq {b2}, {m1}, {p1}",
            "vpmadd52luq {a4}, {m0}, {p4}",
            "vpmadd52luq {b4}, {m1}, {p4}",
            "vpmadd52huq {a3}, {m0}, {p2}",
            "vpmadd52huq {b3}, {m1}, {p2}",
            "vpmadd52huq {a5}, {m0}, {p4}",
            "vpmadd52huq {b5}, {m1}, {p4}",
            "vpmadd52huq {a4}, {m0}, {p3}",
            "vpmadd52huq {b4}, {m1}, {p3}",
            a0 = inout(zmm_reg) a0,
            a1 = inout(zmm_reg) a1,
            a2 = inout(zmm_reg) a2,
            a3 = inout(zmm_reg) a3,
            a4 = inout(zmm_reg) a4,
            a5 = inout(zmm_reg) a5,
            b0 = inout(zmm_reg) b0,
            b1 = inout(zmm_reg) b1,
            b2 = inout(zmm_reg) b2,
            b3 = inout(zmm_reg) b3,
            b4 = inout(zmm_reg) b4,
            b5 = inout(zmm_reg) b5,
            m0 = in(zmm_reg) m[0],
            m1 = in(zmm_reg) m[1],
            x0 = in(zmm_reg) x[0],
            x1 = in(zmm_reg) x[1],
            p0 = in(zmm_reg) p[0],
            p1 = in(zmm_reg) p[1],
            p2 = in(zmm_reg) p[2],
            p3 = in(zmm_reg) p[3],
            p4 = in(zmm_reg) p[4],
            y0 = in(reg) y[0],
            y1 = in(reg) y[1],
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    *t = [[a0, a2, a3, a4, a5, a1], [b0, b2, b3, b4, b5, b1]];
}

/// As `Lanes::pin`.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn pin(a: &mut __m512i, b: &mut __m512i) {
    // SAFETY: no instruction is executed.
    unsafe {
        asm!(
            "/* {} {} */",
            inout(zmm_reg) * a,
            inout(zmm_reg) * b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
}
