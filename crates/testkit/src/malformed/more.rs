//! Cases beside those of the reference: every check has one, and so have the numbers that wrap.

use nalloc_bn254::{Fq, Fq2, Fr, G2Affine};

use super::{Base, MalformedCase, at, coordinate, off_curve};
use crate::circuit::int;
use crate::files::{container, points, wtns_head, wtns_sections};

/// The cases.
pub(super) fn cases(base: &Base) -> Vec<MalformedCase> {
    let mut cases = sizes(base);
    cases.extend(tables(base));
    cases.extend(coefficients(base));
    cases.extend(header_points(base));
    cases.extend(section_points(base));
    cases.extend(witnesses(base));
    cases
}

/// On the curve of G2, and not of order r.
fn outside_of_g2() -> Vec<u8> {
    let number = |text| Fq::from_decimal(text).expect("a number below q");
    let x = Fq2::new(number("1"), number("0"));
    let y = Fq2::new(
        number("18278151005453108793778860132295291098363647455926340152056652516292830556603"),
        number("5912654199736721486680175016176231956195085055698687135131307249486702594212"),
    );
    points(&[G2Affine { x, y }])
}

/// q in the place of a coordinate: not canonical.
fn q_bytes() -> Vec<u8> {
    Fq::MODULUS.iter().flat_map(|limb| limb.to_le_bytes()).collect()
}

fn sizes(base: &Base) -> Vec<MalformedCase> {
    let size = |name, offset, size: u32, codes: &[&'static str]| {
        MalformedCase::zkey(name, base.put_size(offset, size), codes)
    };
    let (header, length) = (["ERR_BAD_HEADER"], ["ERR_SECTION_LENGTH"]);
    vec![
        size("zkey_n8q_is_48", at::N8Q, 48, &["ERR_UNSUPPORTED_CURVE"]),
        size("zkey_n8r_is_0", at::N8R, 0, &["ERR_UNSUPPORTED_CURVE"]),
        MalformedCase::zkey(
            "zkey_other_q",
            base.put(2, at::Q, &[0x49]),
            &["ERR_UNSUPPORTED_CURVE"],
        ),
        size("zkey_no_wires", at::N_VARS, 0, &header),
        size("zkey_all_wires_public", at::N_VARS, 2, &header),
        size("zkey_wires_that_wrap", at::N_VARS, u32::MAX, &length),
        size("zkey_wires_times_64_wrap", at::N_VARS, 7 + (1 << 26), &length),
        size("zkey_one_wire_more", at::N_VARS, 8, &length),
        size("zkey_public_max", at::N_PUBLIC, u32::MAX, &header),
        size("zkey_one_public_more", at::N_PUBLIC, 3, &length),
        size("zkey_domain_0", at::DOMAIN, 0, &header),
        size("zkey_domain_1", at::DOMAIN, 1, &header),
        size("zkey_domain_not_above_public", at::DOMAIN, 2, &header),
        size("zkey_domain_2_to_27", at::DOMAIN, 1 << 27, &length),
        size("zkey_domain_2_to_28", at::DOMAIN, 1 << 28, &header),
        size("zkey_domain_2_to_31", at::DOMAIN, 1 << 31, &header),
        size("zkey_domain_16", at::DOMAIN, 16, &length),
    ]
}

fn tables(base: &Base) -> Vec<MalformedCase> {
    let zkey = MalformedCase::zkey;
    let edited = |id, edit: fn(&mut Vec<u8>)| base.edited(id, edit);
    let patched = |offset: usize, bytes: &[u8]| {
        let mut file = base.zkey.clone();
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
        file
    };
    let version_0 = container(*b"zkey", 0, &base.sections);
    let plonk_alone = container(*b"zkey", 1, &[(1, 2_u32.to_le_bytes().to_vec())]);
    let one_more = (1, 1_u32.to_le_bytes().to_vec());
    let truncated = ["ERR_TRUNCATED"];
    let length = ["ERR_SECTION_LENGTH"];
    vec![
        zkey("zkey_empty", Vec::new(), &truncated),
        zkey("zkey_three_bytes", b"zke".to_vec(), &truncated),
        zkey("zkey_version_0", version_0, &["ERR_UNSUPPORTED_VERSION"]),
        zkey("zkey_more_sections_than_bytes", patched(8, &u32::MAX.to_le_bytes()), &truncated),
        zkey("zkey_no_sections", patched(8, &[0; 4]), &["ERR_SECTION_MISSING"]),
        zkey("zkey_section_length_max", patched(16, &[0xff; 8]), &truncated),
        zkey("zkey_section_length_wraps", patched(16, &(u64::MAX - 23).to_le_bytes()), &truncated),
        zkey("zkey_duplicate_section_1", base.extended(&[one_more]), &["ERR_SECTION_DUPLICATE"]),
        zkey("zkey_plonk_without_sections", plonk_alone, &["ERR_UNSUPPORTED_PROTOCOL"]),
        zkey("zkey_protocol_empty", edited(1, Vec::clear), &length),
        zkey("zkey_header_empty", edited(2, Vec::clear), &length),
        zkey("zkey_header_one_byte_more", edited(2, |head| head.push(0)), &length),
        zkey("zkey_ic_one_byte_short", edited(3, |ic| ic.truncate(191)), &length),
        zkey("zkey_l_empty", edited(8, Vec::clear), &length),
        zkey("zkey_coefficients_empty", edited(4, Vec::clear), &length),
        zkey("zkey_coefficients_one_byte_more", edited(4, |records| records.push(0)), &length),
    ]
}

fn coefficients(base: &Base) -> Vec<MalformedCase> {
    let put = |name, offset, bytes: &[u8], codes: &[&'static str]| {
        MalformedCase::zkey(name, base.put(4, offset, bytes), codes)
    };
    let (range, length) = (["ERR_INDEX_RANGE"], ["ERR_SECTION_LENGTH"]);
    let max = u32::MAX.to_le_bytes();
    let r: Vec<u8> = Fr::MODULUS.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    // 44 * (2^30 + 13) is 44 * 13 modulo 2^32.
    let wraps = ((1_u32 << 30) + 13).to_le_bytes();
    vec![
        put("zkey_coefficient_count_max", 0, &max, &length),
        put("zkey_coefficient_count_wraps", 0, &wraps, &length),
        put("zkey_coefficient_matrix_2", 4, &[2], &range),
        put("zkey_coefficient_matrix_max", 4, &max, &range),
        put("zkey_coefficient_row_max", 8, &max, &range),
        put("zkey_coefficient_signal_is_count", 12, &7_u32.to_le_bytes(), &range),
        put("zkey_coefficient_signal_max", 12, &max, &range),
        put("zkey_coefficient_value_is_r", 16, &r, &["ERR_NON_CANONICAL"]),
        put("zkey_coefficient_value_max", 16, &[0xff; 32], &["ERR_NON_CANONICAL"]),
    ]
}

fn header_points(base: &Base) -> Vec<MalformedCase> {
    let put = |name, offset, bytes: &[u8], code: &'static str| {
        MalformedCase::zkey(name, base.put(2, offset, bytes), &[code])
    };
    let infinity = "ERR_POINT_AT_INFINITY";
    let off: Vec<u8> = [1; 4].iter().flat_map(|&x| coordinate(x)).collect();
    let outside = outside_of_g2();
    vec![
        put("zkey_alpha1_infinity", at::ALPHA1, &[0; 64], infinity),
        put("zkey_beta1_infinity", at::BETA1, &[0; 64], infinity),
        put("zkey_beta2_infinity", at::BETA2, &[0; 128], infinity),
        put("zkey_gamma2_infinity", at::GAMMA2, &[0; 128], infinity),
        put("zkey_delta2_infinity", at::DELTA2, &[0; 128], infinity),
        put("zkey_alpha1_not_canonical", at::ALPHA1, &q_bytes(), "ERR_NON_CANONICAL"),
        put("zkey_delta2_not_canonical", at::DELTA2 + 96, &[0xff; 32], "ERR_NON_CANONICAL"),
        put("zkey_beta1_off_curve", at::BETA1, &off_curve(), "ERR_NOT_ON_CURVE"),
        put("zkey_gamma2_off_curve", at::GAMMA2, &off, "ERR_NOT_ON_CURVE"),
        put("zkey_beta2_outside_of_g2", at::BETA2, &outside, "ERR_NOT_IN_SUBGROUP"),
        put("zkey_gamma2_outside_of_g2", at::GAMMA2, &outside, "ERR_NOT_IN_SUBGROUP"),
        put("zkey_delta2_outside_of_g2", at::DELTA2, &outside, "ERR_NOT_IN_SUBGROUP"),
    ]
}

fn section_points(base: &Base) -> Vec<MalformedCase> {
    let put = |name, id, offset, bytes: &[u8], code: &'static str| {
        MalformedCase::zkey(name, base.put(id, offset, bytes), &[code, "ERR_SELF_VERIFY"])
    };
    let off = off_curve();
    let off2: Vec<u8> = [1; 4].iter().flat_map(|&x| coordinate(x)).collect();
    let (on, canonical) = ("ERR_NOT_ON_CURVE", "ERR_NON_CANONICAL");
    vec![
        put("zkey_ic_off_curve", 3, 0, &off, on),
        put("zkey_b1_off_curve", 6, 64, &off, on),
        put("zkey_b2_off_curve", 7, 128, &off2, on),
        put("zkey_l_off_curve", 8, 64, &off, on),
        put("zkey_h_off_curve", 9, 64 * 7, &off, on),
        put("zkey_ic_not_canonical", 3, 64, &q_bytes(), canonical),
        put("zkey_a_not_canonical", 5, 64, &q_bytes(), canonical),
        put("zkey_b2_not_canonical", 7, 128 + 32, &[0xff; 32], canonical),
        put("zkey_h_not_canonical", 9, 64 * 3 + 32, &q_bytes(), canonical),
        MalformedCase::zkey(
            "zkey_b2_outside_of_g2",
            base.put(7, 128, &outside_of_g2()),
            &["ERR_SELF_VERIFY", "ERR_NOT_IN_SUBGROUP"],
        ),
        MalformedCase::zkey(
            "zkey_l_is_another_point",
            base.put(8, 64, &points(&[nalloc_bn254::G1Affine::GENERATOR])),
            &["ERR_SELF_VERIFY"],
        ),
    ]
}

fn witnesses(base: &Base) -> Vec<MalformedCase> {
    let wtns = MalformedCase::wtns;
    let sections = wtns_sections(&base.witness);
    let [head, values] = [&sections[0], &sections[1]];
    let of = |sections: &[&(u32, Vec<u8>)]| {
        let sections: Vec<_> = sections.iter().map(|&section| section.clone()).collect();
        container(*b"wtns", 2, &sections)
    };
    let with_n8 = |n8: u32| {
        let mut head = wtns_head(&Fr::MODULUS, base.count());
        head[..4].copy_from_slice(&n8.to_le_bytes());
        base.with_head(head)
    };
    let mut long = base.witness.clone();
    long.push(int(0));
    let mut zero_first = base.witness.clone();
    zero_first[0] = int(0);
    let count_wraps = wtns_head(&Fr::MODULUS, base.count() + (1 << 27));
    vec![
        wtns("ok_wtns_sections_reversed", of(&[values, head]), &[]),
        wtns("wtns_empty", Vec::new(), &["ERR_TRUNCATED"]),
        wtns("wtns_is_a_zkey", base.zkey.clone(), &["ERR_BAD_MAGIC"]),
        wtns("wtns_version_0", container(*b"wtns", 0, &sections), &["ERR_UNSUPPORTED_VERSION"]),
        wtns("wtns_missing_section_2", of(&[head]), &["ERR_SECTION_MISSING"]),
        wtns("wtns_missing_section_1", of(&[values]), &["ERR_SECTION_MISSING"]),
        wtns("wtns_duplicate_section_2", of(&[head, values, values]), &["ERR_SECTION_DUPLICATE"]),
        wtns("wtns_n8_is_48", with_n8(48), &["ERR_PRIME_MISMATCH"]),
        wtns("wtns_head_short", base.with_head(head.1[..39].to_vec()), &["ERR_SECTION_LENGTH"]),
        wtns("wtns_count_wraps", base.with_head(count_wraps), &["ERR_SECTION_LENGTH"]),
        wtns("wtns_one_element_long", Base::with_values(&long), &["ERR_WITNESS_LENGTH"]),
        wtns(
            "wtns_no_elements",
            Base::with_values(&[]),
            &["ERR_WITNESS_LENGTH", "ERR_WITNESS_ONE"],
        ),
        wtns("wtns_w0_is_0", Base::with_values(&zero_first), &["ERR_WITNESS_ONE"]),
        wtns("wtns_element_max", base.with_raw_value(6, [u64::MAX; 4]), &["ERR_NON_CANONICAL"]),
    ]
}
