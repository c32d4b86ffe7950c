//! The laws of the faults that are about time and pieces: no byte of a body changes, no wait is shorter than promised.

use crate::fault_laws::{deliveries, inject, sent};
use crate::laws;

use std::time::Duration;

use bytes::Bytes;
use faultdeck::delivery::{Delivery, End, Framing, Step};
use faultdeck::fault::{
    Bandwidth, Chunk, Close, Dribble, DropIdle, Fault, Hang, How, Latency, LongerLength, Reset,
    ShorterLength, Slicer, SlowClose, Spread, Stall,
};
use faultdeck::message::Response;
use laws::holds;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof};

const CASES: u32 = 10_000;

/// Faults that only move bytes about in time.
fn movers() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (0..2000u32).prop_map(|kb_per_s| Fault::Bandwidth(Bandwidth { kb_per_s })),
        (0..60u32, 0..9u32).prop_map(|(body_bytes, ms)| Fault::Stall(Stall { body_bytes, ms })),
        (1..60u32, 0..9u32).prop_map(|(pieces, over_ms)| Fault::Dribble(Dribble { pieces, over_ms })),
        (1..60u32, 0..60u32, 0..9u32).prop_map(|(bytes, vary, pause_us)| {
            Fault::Slicer(Slicer { bytes, vary_bytes: vary.min(bytes - 1), pause_us })
        }),
    ]
}

fn times(delivery: &Delivery) -> Duration {
    let time = |step: &Step| match step {
        Step::Wait(time) | Step::Beat(time) => *time,
        _ => Duration::ZERO,
    };
    delivery.steps.iter().map(time).sum()
}

/// What it sends before the first byte that is held back by a beat or a wait of its own.
fn at_once(delivery: &Delivery) -> usize {
    let holds = |step: &&Step| !matches!(step, Step::Wait(_) | Step::Beat(_));
    let steps = delivery.steps.iter().take_while(holds).cloned().collect();
    sent(&Delivery { steps, ..delivery.clone() }).len()
}

fn whole(body: &str) -> Delivery {
    Delivery::of(Response::json(200, body.to_owned()))
}

#[test]
fn what_moves_bytes_about_in_time_changes_none_and_not_the_end() {
    holds(CASES, (movers(), deliveries()), |(fault, before)| {
        let mut after = before.clone();
        let did = inject(&fault, &mut after, true);
        prop_assert_eq!(sent(&before), sent(&after), "{:?}", did);
        prop_assert_eq!(before.planned_bytes(), after.planned_bytes());
        prop_assert_eq!((&before.response, &before.framing), (&after.response, &after.framing));
        prop_assert_eq!(before.steps.last(), after.steps.last());
        prop_assert!(times(&before) <= times(&after));
        Ok(())
    });
}

#[test]
fn a_cut_keeps_what_was_slow_before_it() {
    holds(CASES, (movers(), movers(), 0..300u32), |(first, second, after_bytes)| {
        let mut slow = whole("{\"id\":7,\"name\":\"n\",\"state\":\"WAITING\"}");
        inject(&first, &mut slow, true);
        inject(&second, &mut slow, true);
        let mut cut = slow.clone();
        let close = Fault::Close(Close { after_bytes });
        prop_assert!(inject(&close, &mut cut, true).is_some());
        prop_assert_eq!(&sent(&cut)[..], &sent(&slow)[..sent(&slow).len().min(after_bytes as usize)]);
        let kept = cut.steps.len() - 1;
        let same = cut.steps[..kept].iter().zip(&slow.steps).filter(|(cut, slow)| cut == slow).count();
        // All but the part in which it is cut.
        prop_assert!(same + 1 >= kept, "{:?} of {:?}", cut.steps, slow.steps);
        Ok(())
    });
}

#[test]
fn a_dribble_spreads_the_body_evenly_and_takes_its_time() {
    holds(CASES, (1..40u32, 1..500u32, 1..60usize), |(pieces, over_ms, length)| {
        let mut delivery = whole(&"x".repeat(length));
        let head = delivery.image().head.len();
        let did = inject(&Fault::Dribble(Dribble { pieces, over_ms }), &mut delivery, true);
        prop_assert!(did.is_some());
        prop_assert_eq!(at_once(&delivery), head);
        let beats = delivery.steps.iter().filter(|step| matches!(step, Step::Beat(_))).count();
        prop_assert_eq!(beats, length.min(pieces as usize));
        let over = Duration::from_millis(over_ms.into());
        prop_assert!(times(&delivery) >= over && times(&delivery) < over + Duration::from_micros(1));
        let size = delivery.image().head.len() + length;
        let sizes: Vec<usize> = delivery
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Send(range) if range.start >= head => Some(range.end.min(size) - range.start),
                _ => None,
            })
            .collect();
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        prop_assert!(*least >= 1 && most - least <= 1, "{:?}", sizes);
        Ok(())
    });
}

#[test]
fn a_stall_stands_at_its_byte_of_the_body() {
    holds(CASES, (0..80u32, 1..500u32, 0..60usize), |(body_bytes, ms, length)| {
        let mut delivery = whole(&"x".repeat(length));
        let head = delivery.image().head.len();
        let did = inject(&Fault::Stall(Stall { body_bytes, ms }), &mut delivery, true);
        prop_assert_eq!(did.is_some(), (body_bytes as usize) < length);
        if did.is_some() {
            prop_assert_eq!(at_once(&delivery), head + body_bytes as usize);
            prop_assert_eq!(times(&delivery), Duration::from_millis(ms.into()));
        }
        Ok(())
    });
}

#[test]
fn slices_have_about_their_size_and_long_answers_a_limited_number() {
    holds(1_000, (1..60u32, 0..60u32, 0..500usize), |(bytes, vary, length)| {
        let vary_bytes = vary.min(bytes - 1);
        let mut delivery = whole(&"x".repeat(length));
        let size = sent(&delivery).len();
        inject(&Fault::Slicer(Slicer { bytes, vary_bytes, pause_us: 1 }), &mut delivery, true);
        let mut sizes: Vec<u32> = delivery
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Send(range) => Some((range.end.min(size) - range.start) as u32),
                _ => None,
            })
            .collect();
        prop_assert!(sizes.pop().is_some_and(|last| last >= 1 && last <= bytes + vary_bytes));
        prop_assert!(sizes.iter().all(|size| (bytes - vary_bytes..=bytes + vary_bytes).contains(size)));
        Ok(())
    });
    let mut long = whole(&"x".repeat(300_000));
    let bytes = sent(&long);
    inject(&Fault::Slicer(Slicer { bytes: 1, vary_bytes: 0, pause_us: 0 }), &mut long, true);
    assert_eq!(long.steps.iter().filter(|step| matches!(step, Step::Send(_))).count(), 100_000);
    assert!(sent(&long) == bytes);
    let mut long = whole(&"x".repeat(300_000));
    inject(&Fault::Chunk(Chunk { bytes: 1 }), &mut long, true);
    assert!(matches!(&long.framing, Framing::Chunked(sizes) if sizes.len() == 99_999));
}

#[test]
fn chunks_put_together_are_the_body() {
    holds(CASES, (1..20u32, deliveries()), |(bytes, before)| {
        let mut after = before.clone();
        if inject(&Fault::Chunk(Chunk { bytes }), &mut after, true).is_none() {
            return Ok(());
        }
        let image = after.image();
        let head = String::from_utf8_lossy(&image.head).to_ascii_lowercase();
        prop_assert!(head.contains("\r\ntransfer-encoding: chunked\r\n") && !head.contains("content-length"));
        let (mut rest, mut body) = (image.body.clone(), Vec::new());
        loop {
            let end = rest.windows(2).position(|two| two == b"\r\n").unwrap();
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            let chunk: Bytes = rest.slice(end + 2..end + 2 + size);
            rest = rest.slice(end + 2 + size + usize::from(size > 0) * 2..);
            if size == 0 {
                break;
            }
            prop_assert!(size == bytes as usize || body.len() + size == after.response.body.len());
            body.extend_from_slice(&chunk);
        }
        prop_assert_eq!(&body[..], &before.response.body[..]);
        prop_assert_eq!((&before.response, &before.steps), (&after.response, &after.steps));
        Ok(())
    });
}

#[test]
fn a_wrong_length_is_wrong_by_what_was_asked_and_all_bytes_come() {
    holds(CASES, (1..40u32, any::<bool>(), deliveries()), |(by, is_longer, before)| {
        let mut after = before.clone();
        let fault = match is_longer {
            true => Fault::LongerLength(LongerLength { by, ms: 3 }),
            false => Fault::ShorterLength(ShorterLength { by }),
        };
        if inject(&fault, &mut after, true).is_none() {
            return Ok(());
        }
        let length = before.response.body.len() as u64;
        let wanted = if is_longer { length + u64::from(by) } else { length.saturating_sub(by.into()) };
        prop_assert_eq!(&after.framing, &Framing::Length(wanted));
        prop_assert!(sent(&after).ends_with(&before.response.body));
        prop_assert_eq!(after.planned_bytes(), sent(&after).len() as u64);
        prop_assert_eq!(after.steps.last(), Some(&Step::End(End::Fin)));
        Ok(())
    });
}

#[test]
fn a_late_end_leaves_every_byte_alone() {
    let ends = prop_oneof![
        (1..9u32).prop_map(|ms| Fault::SlowClose(SlowClose { ms })),
        (0..9u32).prop_map(|ms| Fault::DropIdle(DropIdle { how: How::Close, ms })),
        (0..9u32).prop_map(|ms| Fault::DropIdle(DropIdle { how: How::Reset, ms })),
    ];
    holds(CASES, (ends, deliveries()), |(fault, before)| {
        let mut after = before.clone();
        if inject(&fault, &mut after, true).is_none() {
            return Ok(());
        }
        prop_assert_eq!(&before.response.body, &after.response.body);
        prop_assert_eq!(before.steps.last(), Some(&Step::End(End::Keep)));
        let announced = after.response.headers.text("Connection").as_deref() == Some("close");
        prop_assert_eq!(announced, matches!(fault, Fault::SlowClose(_)));
        if !announced {
            prop_assert_eq!(sent(&before), sent(&after));
        }
        Ok(())
    });
}

#[test]
fn a_connection_that_is_not_going_to_be_kept_cannot_be_dropped() {
    let mut closing = Response::json(200, "{}");
    closing.headers.push("Connection", "close");
    let unframed = Response { body: Bytes::from_static(b"until the end"), ..Response::new(200) };
    for response in [closing, unframed] {
        let before = Delivery::of(response);
        let mut after = before.clone();
        let fault = Fault::DropIdle(DropIdle { how: How::Reset, ms: 0 });
        assert_eq!(inject(&fault, &mut after, true), None);
        assert_eq!(before, after);
    }
}

#[test]
fn a_hang_and_a_reset_wait_before_they_end() {
    let wait = Step::Wait(Duration::from_millis(7));
    let mut hung = whole("{}");
    inject(&Fault::Hang(Hang { ms: 7 }), &mut hung, true);
    assert_eq!(hung.steps, [wait.clone(), Step::End(End::Fin)]);
    let mut hung = whole("{}");
    inject(&Fault::Hang(Hang { ms: 0 }), &mut hung, true);
    assert_eq!(hung.steps, [Step::End(End::Hang)]);
    let mut reset = whole("{}");
    inject(&Fault::Reset(Reset { after_bytes: 5, ms: 7 }), &mut reset, true);
    assert_eq!(reset.steps, [Step::Send(0..5), wait, Step::End(End::Rst)]);
}

#[test]
fn without_strength_none_of_them_changes_anything() {
    let zero = prop_oneof![
        Just(Fault::Latency(Latency { max_ms: 0, ..Latency::uniform(900, 100) })),
        Just(Fault::Latency(Latency { spread: Spread::Normal, ..Latency::uniform(0, 0) })),
        Just(Fault::Bandwidth(Bandwidth { kb_per_s: 0 })),
        Just(Fault::Stall(Stall { body_bytes: 0, ms: 0 })),
        Just(Fault::Dribble(Dribble { pieces: 3, over_ms: 0 })),
        Just(Fault::SlowClose(SlowClose { ms: 0 })),
        Just(Fault::LongerLength(LongerLength { by: 0, ms: 9 })),
        Just(Fault::ShorterLength(ShorterLength { by: 0 })),
    ];
    holds(CASES, (zero, deliveries()), |(fault, before)| {
        let mut after = before.clone();
        prop_assert!(fault.is_identity());
        prop_assert_eq!(inject(&fault, &mut after, true), None);
        prop_assert_eq!(before, after);
        Ok(())
    });
}

#[test]
fn a_spread_that_makes_no_sense_is_refused() {
    let wrong = [
        (Latency { sigma_thousandths: 1, ..Latency::uniform(1, 1) }, "sigma_thousandths"),
        (
            Latency { spread: Spread::Normal, sigma_thousandths: 1, ..Latency::uniform(1, 1) },
            "sigma_thousandths",
        ),
        (Latency { spread: Spread::Lognormal, ..Latency::uniform(1, 0) }, "sigma_thousandths"),
        (Latency { spread: Spread::Lognormal, sigma_thousandths: 1, ..Latency::uniform(1, 1) }, "jitter_ms"),
    ];
    for (latency, parameter) in wrong {
        assert_eq!(Fault::Latency(latency).check().unwrap_err().parameter, parameter);
    }
    let slicer = |bytes, vary_bytes| Fault::Slicer(Slicer { bytes, vary_bytes, pause_us: 0 });
    assert!(slicer(3, 3).check().is_err() && slicer(3, 2).check().is_ok());
}

#[test]
fn a_capped_wait_is_never_longer_and_what_is_not_set_is_not_written() {
    let latency = Latency {
        spread: Spread::Lognormal,
        sigma_thousandths: 2000,
        max_ms: 300,
        ..Latency::uniform(200, 0)
    };
    let fault = Fault::Latency(latency);
    let mut stream = faultdeck::seed::Seed(1).stream(&["cap"]);
    let mut waits = Vec::new();
    for _ in 0..1000 {
        let mut delivery = whole("{}");
        crate::fault_laws::inject_drawing(&fault, &mut delivery, &mut stream);
        waits.push(times(&delivery));
    }
    assert_eq!(waits.iter().max(), Some(&Duration::from_millis(300)));
    assert!(waits.iter().min() < Some(&Duration::from_millis(50)));
    let written = |fault: &Fault| serde_json::to_string(fault).unwrap();
    assert_eq!(written(&Fault::Latency(Latency::uniform(5, 0))), r#"{"latency":{"ms":5,"jitter_ms":0}}"#);
    assert_eq!(written(&Fault::Hang(Hang { ms: 0 })), r#"{"hang":{}}"#);
    assert_eq!(written(&Fault::Reset(Reset { after_bytes: 4, ms: 0 })), r#"{"reset":{"after_bytes":4}}"#);
}
