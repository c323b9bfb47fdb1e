//! The standard metadata as fields: `s.egress_spec`.

use super::value::Field;
use crate::standard::{self, FIELDS};

macro_rules! standard_view {
    ($($field:ident $meta:ident)*) => {
        /// The standard metadata of v1model; see [`crate::standard`] for what each means.
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs)]
        pub struct Standard {
            $(pub $field: Field),*
        }

        impl Standard {
            pub(super) fn new() -> Self {
                Standard {
                    $($field: Field::meta(standard::$meta, FIELDS[standard::$meta.0 as usize].1)),*
                }
            }
        }
    };
}

standard_view! {
    ingress_port INGRESS_PORT
    egress_spec EGRESS_SPEC
    egress_port EGRESS_PORT
    instance_type INSTANCE_TYPE
    packet_length PACKET_LENGTH
    enq_timestamp ENQ_TIMESTAMP
    enq_qdepth ENQ_QDEPTH
    deq_timedelta DEQ_TIMEDELTA
    deq_qdepth DEQ_QDEPTH
    ingress_global_timestamp INGRESS_GLOBAL_TIMESTAMP
    egress_global_timestamp EGRESS_GLOBAL_TIMESTAMP
    mcast_grp MCAST_GRP
    egress_rid EGRESS_RID
    checksum_error CHECKSUM_ERROR
    parser_error PARSER_ERROR
    priority PRIORITY
}
