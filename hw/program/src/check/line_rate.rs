use super::Violation;
pub(super) fn check(_: &crate::Program) -> Vec<Violation> {
    Vec::new()
}
