// A stand-in for a shell: a FIFO between the streams, sixteen registers, a monitor.
// BUG chooses what it does wrong.
module restage_shell #(parameter BUG = 0) (
    input clk_i, input rst_ni, input [47:0] time_i,
    input [511:0] s_axis_tdata, input [63:0] s_axis_tkeep, input s_axis_tvalid, output s_axis_tready,
    input s_axis_tlast, input [47:0] s_axis_tuser,
    output reg [511:0] m_axis_tdata, output reg [63:0] m_axis_tkeep, output m_axis_tvalid, input m_axis_tready,
    output reg m_axis_tlast, output reg [47:0] m_axis_tuser,
    input [23:0] s_axil_awaddr, input s_axil_awvalid, output s_axil_awready,
    input [31:0] s_axil_wdata, input [3:0] s_axil_wstrb, input s_axil_wvalid, output s_axil_wready,
    output reg s_axil_bvalid, input s_axil_bready, output reg [1:0] s_axil_bresp,
    input [23:0] s_axil_araddr, input s_axil_arvalid, output s_axil_arready,
    output reg [31:0] s_axil_rdata, output reg s_axil_rvalid, input s_axil_rready, output reg [1:0] s_axil_rresp,
    output reg seen_o, output reg [47:0] seen_time_o, output reg [15:0] seen_size_o
);
    // Streams.
    reg [624:0] fifo [0:15];
    reg [4:0] head, tail;
    reg full, valid, first;
    wire [4:0] used = head - tail;
    wire move = !valid || m_axis_tready;
    assign s_axis_tready = !full;
    reg [7:0] age;
    assign m_axis_tvalid = valid && !(BUG == 1 && age == 3);
    always @(posedge clk_i) begin
        full <= used > 12 || BUG == 5;
        seen_o <= 0;
        if (s_axis_tvalid && s_axis_tready) begin
            fifo[head[3:0]] <= {s_axis_tlast, s_axis_tuser, s_axis_tkeep, s_axis_tdata};
            head <= head + 1;
            first <= s_axis_tlast;
            seen_o <= first;
            seen_time_o <= time_i;
            seen_size_o <= s_axis_tuser[15:0];
        end
        age <= move ? 0 : age + 1;
        if (move) begin
            valid <= used != 0;
            if (used != 0) begin
                {m_axis_tlast, m_axis_tuser, m_axis_tkeep, m_axis_tdata} <= fifo[tail[3:0]];
                tail <= tail + 1;
                m_axis_tuser[47:32] <= fifo[tail[3:0]][607:592] + 1;
                if (BUG == 2) m_axis_tkeep[1] <= 0;
                if (BUG == 4) m_axis_tkeep[63] <= 0;
            end
        end else if (BUG == 3) m_axis_tdata[3] <= ~m_axis_tdata[3];
        if (!rst_ni) begin
            head <= 0; tail <= 0; valid <= 0; full <= 0; first <= 1; seen_o <= 0;
        end
    end

    // Registers.
    reg [31:0] regs [0:15];
    reg [31:0] count;
    reg aw, w, ar;
    reg [5:0] waddr, raddr;
    reg [31:0] wdata;
    assign s_axil_awready = !aw;
    assign s_axil_wready = !w && BUG != 6;
    assign s_axil_arready = !ar;
    always @(posedge clk_i) begin
        if (s_axil_awvalid && !aw) begin aw <= 1; waddr <= s_axil_awaddr[7:2]; end
        if (s_axil_wvalid && s_axil_wready && s_axil_wstrb == 15) begin w <= 1; wdata <= s_axil_wdata; end
        if (s_axil_bvalid && s_axil_bready) s_axil_bvalid <= 0;
        if (aw && w && !s_axil_bvalid) begin
            aw <= 0; w <= 0; s_axil_bvalid <= 1; s_axil_bresp <= waddr[5:4] == 0 ? 0 : 3;
            if (waddr[5:4] == 0) regs[waddr[3:0]] <= wdata;
            count <= count + 1;
        end
        if (s_axil_arvalid && !ar) begin ar <= 1; raddr <= s_axil_araddr[7:2]; end
        if (s_axil_rvalid && s_axil_rready) s_axil_rvalid <= 0;
        if (ar && !s_axil_rvalid) begin
            ar <= 0; s_axil_rvalid <= 1; s_axil_rresp <= raddr[5:4] == 2 ? 2 : 0;
            s_axil_rdata <= raddr[5:4] == 0 ? regs[raddr[3:0]] : count;
        end
        if (!rst_ni) begin
            aw <= 0; w <= 0; ar <= 0; s_axil_bvalid <= 0; s_axil_rvalid <= 0; count <= 0;
        end
    end
endmodule
