//! What could not be kept, counted by reason.

use crate::coded::coded;

coded! {
    /// Why something that was seen could not be kept in full.
    pub enum Loss: u32 {
        /// An entry was counted, but the ledger had no room for its row: it is in
        /// the overflow total of its cause, without thread, phase and detail.
        LedgerFull = 0, "ledger_full";
        /// The kernel stack of an entry could not be walked or stored. The entry is
        /// counted all the same.
        StackLost = 1, "stack_lost";
        /// A stack was stored but the stack ledger had no room for its row.
        StackLedgerFull = 2, "stack_ledger_full";
        /// A new thread could not be followed: the thread table was full.
        ThreadTableFull = 3, "thread_table_full";
        /// A thread's description could not be kept: the description table was full.
        ThreadInfoFull = 4, "thread_info_full";
        /// An interrupt's stack could not be read, so that it is unknown whether it
        /// came from user mode. It is not in the counts.
        OriginUnknown = 5, "origin_unknown";
        /// The saved registers of a thread could not be read. Its entry is counted
        /// without them where the cause is known.
        RegistersUnreadable = 6, "registers_unreadable";
        /// What an interrupt was for could not be kept. The interrupt is counted.
        PurposeFull = 7, "purpose_full";
        /// Who sent an interrupt could not be kept. The interrupt is counted.
        SenderFull = 8, "sender_full";
        /// A disturbance could not be kept.
        DisturbanceFull = 9, "disturbance_full";
        /// A page fault's mapping or page table could not be read. It is counted, and
        /// its kind is unknown.
        FaultUnreadable = 10, "fault_unreadable";
        /// A page fault is counted, but its mapping had no room to be described.
        MappingTableFull = 11, "mapping_table_full";
        /// A page fault is counted, and so is its mapping, but its page had no room:
        /// distinct pages are a lower bound.
        PageTableFull = 12, "page_table_full";
        /// A page fault is counted, but neither its page nor its mapping had room.
        MappingLost = 13, "mapping_lost";
        /// A major page fault is counted as a page fault, but not as a major one.
        MajorUnmatched = 14, "major_unmatched";
        /// A call that made memory could not be taken down, for want of room in the
        /// ring buffer. The call itself is counted all the same.
        AllocationLost = 15, "allocation_lost";
        /// A thread's number was given to another one before its end was seen: the
        /// call by which it ended is not in the counts.
        ThreadEndUnseen = 16, "thread_end_unseen";
        /// The user stack of an entry could not be walked or stored. The entry is
        /// counted all the same.
        UserStackLost = 17, "user_stack_lost";
        /// A stack of the thread that sent an interrupt could not be walked or
        /// stored. Who sent it is known all the same.
        SenderStackLost = 18, "sender_stack_lost";
    }
}
