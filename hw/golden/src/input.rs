//! What goes in: a packet, when and where it arrived, and what its queue was like.

/// One packet from outside.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The port on which it arrived.
    pub port: u16,
    /// The packet from its first byte on, without a frame check sequence.
    pub bytes: &'a [u8],
    /// When it arrived, in microseconds. Meters and ageing go by this clock; it should not go back.
    pub time_us: u64,
    /// What the packet and its copies find at the traffic point.
    pub queue: Queue,
}

impl<'a> Input<'a> {
    /// A packet at time 0 that meets empty queues.
    pub fn new(port: u16, bytes: &'a [u8]) -> Self {
        Input { port, bytes, time_us: 0, queue: Queue::default() }
    }
}

/// The queueing metadata that egress sees. The model has no queues; whoever has, says here what they did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Queue {
    /// `enq_timestamp`: when it was queued, in microseconds.
    pub enq_timestamp: u32,
    /// `enq_qdepth`: the queue's length then.
    pub enq_qdepth: u32,
    /// `deq_timedelta`: the time it spent in the queue, in microseconds.
    pub deq_timedelta: u32,
    /// `deq_qdepth`: the queue's length when it left.
    pub deq_qdepth: u32,
    /// `egress_global_timestamp`: when it entered egress, in microseconds.
    pub egress_time_us: u64,
}
